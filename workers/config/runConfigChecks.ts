/** @file What no single key can tell: keys that contradict one another, or that would have no effect. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isHubName, parseHubName } from '../../core/model/hubName.ts';
import { largestMicroBatchTokens, type PolicyConfig, type RunConfig, type TaskSourceConfig } from '../../core/run/config.ts';
import { turnCreditIsOff } from '../../core/run/hyperparameters.ts';
import { bindFamily, tagsFamilies } from '../../core/tasks/registry.ts';

/** Longest context that is practical for a policy made from nothing. */
const longestContext: { readonly [Preset in PolicyConfig['preset']]: number } = { nano: 1024, S: 2048, M: 4096 };

/** One line per problem: where, what was expected, what to do. `raw` is what the person wrote, without defaults. */
export function effectProblems(config: RunConfig, raw: Readonly<Record<string, unknown>>): string[] {
  const checks = [policyProblems, taskProblems, warmupProblems, trainingProblems, creditProblems, evaluationProblems, sandboxProblems];
  return checks.flatMap((check) => check(config, (path) => isGiven(raw, path)));
}

type Given = (path: string) => boolean;

function policyProblems({ policy, warmup }: RunConfig, given: Given): string[] {
  const problems = policy.path === null ? [] : ineffective(given, ['policy.preset', 'policy.vocabulary'], 'policy.path names a model');
  const holds = (name: string) => policy.path !== null && existsSync(join(policy.path, name));
  if (policy.path !== null && isHubName(policy.path)) problems.push(...hubNameProblems(policy.path));
  else if (policy.path !== null && !holds('config.json') && !holds('adapter_config.json')) {
    problems.push(
      `policy.path: expected a Hugging Face directory with config.json or adapter_config.json, got ${policy.path}: name one, write hub:org/name to download one, or build from a preset`,
    );
  }
  if (policy.path === null) problems.push(...ineffective(given, ['policy.base'], 'only an adapter at policy.path has a base'));
  if (policy.path === null) problems.push(...ineffective(given, ['policy.lora'], 'a model built from nothing has no weights worth keeping'));
  if (holds('adapter_config.json')) problems.push(...ineffective(given, ['policy.lora'], 'policy.path names an adapter, which is trained further'));
  if (policy.path === null && policy.contextLength > longestContext[policy.preset]) {
    problems.push(`policy.contextLength: expected at most ${longestContext[policy.preset]} with preset ${policy.preset}, got ${policy.contextLength}`);
  }
  if (policy.turnFormat === 'fences' && warmup.steps > 0 && !warmup.chats) {
    problems.push('policy.turnFormat: fences has no demonstrations: set warmup.steps=0, or turnFormat tags, or give warmup.chats');
  }
  return problems;
}

function hubNameProblems(path: string): string[] {
  try {
    parseHubName(path);
    return [];
  } catch (error) {
    return [`policy.path: ${(error as Error).message}`];
  }
}

function taskProblems({ tasks, policy, sampling }: RunConfig): string[] {
  const problems = tasks.flatMap((source, index) => sourceProblems(source, `tasks[${index}]`, policy));
  const names = tasks.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) problems.push(`tasks: two sources named ${twice}: give each a name of its own`);
  if (sampling.maxTokensPerTurn > policy.contextLength) {
    problems.push(`sampling.maxTokensPerTurn: expected at most policy.contextLength (${policy.contextLength}), got ${sampling.maxTokensPerTurn}`);
  }
  return problems;
}

function sourceProblems(source: TaskSourceConfig, where: string, policy: PolicyConfig): string[] {
  const needsBytes = policy.path === null && policy.vocabulary === 'tags';
  const bytes = 'set policy.vocabulary=bytes, or policy.path';
  if ('file' in source) {
    const problems = isFile(source.file)
      ? []
      : [`${where}.file: expected a JSONL or parquet file, got ${source.file}: no such file; paths start at the directory of the configuration`];
    return needsBytes ? [...problems, `${where}: the tags vocabulary cannot encode arbitrary text: ${bytes}`] : problems;
  }
  const problems = optionProblems(source, where);
  if (needsBytes && !tagsFamilies.includes(source.family)) {
    problems.push(`${where}.family: the tags vocabulary encodes ${tagsFamilies.join(', ')} only, got ${source.family}: ${bytes}`);
  }
  return problems;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function optionProblems(source: Extract<TaskSourceConfig, { family: string }>, where: string): string[] {
  try {
    bindFamily(source.family, source.options);
    return [];
  } catch (error) {
    return [`${where}.options: ${(error as Error).message}`];
  }
}

function warmupProblems({ warmup, tasks, policy }: RunConfig, given: Given): string[] {
  if (warmup.steps === 0) {
    const rest = ['chats', 'batchSize', 'optimizer', 'answerWeight', 'flawlessFraction', 'stepsPerCommit'].map((key) => `warmup.${key}`);
    return ineffective(given, rest, 'warmup.steps is 0');
  }
  if (warmup.chats) {
    const problems = ineffective(given, ['warmup.answerWeight', 'warmup.flawlessFraction'], 'warmup.chats takes the place of demonstrations');
    if (policy.path === null && policy.vocabulary === 'tags')
      problems.push('warmup.chats: the tags vocabulary cannot encode arbitrary text: set policy.vocabulary=bytes, or policy.path');
    return isFile(warmup.chats.file) ? problems : [...problems, `warmup.chats.file: expected a JSONL or parquet file, got ${warmup.chats.file}: no such file`];
  }
  const demonstrated = tasks.some((source) => 'family' in source);
  return demonstrated ? [] : ['warmup.steps: files of tasks have no demonstrations: set warmup.steps=0, add a family, or give warmup.chats'];
}

function trainingProblems({ training, warmup }: RunConfig, given: Given): string[] {
  const problems = scheduleProblems('training.optimizer', training.optimizer, given);
  if (warmup.steps > 0) problems.push(...scheduleProblems('warmup.optimizer', warmup.optimizer, given));
  if (training.steps > 0 && training.groupSize < 2) {
    problems.push(`training.groupSize: expected at least 2, since advantages compare siblings, got ${training.groupSize}`);
  }
  if (training.microBatchTokens > largestMicroBatchTokens) {
    problems.push(
      `training.microBatchTokens: expected at most ${largestMicroBatchTokens}, got ${training.microBatchTokens}: larger micro-batches are slower and are never made`,
    );
  }
  if (training.minibatches > training.tasksPerStep * training.groupSize) {
    problems.push(`training.minibatches: expected at most the ${training.tasksPerStep * training.groupSize} rollouts of a step, got ${training.minibatches}`);
  }
  return problems;
}

function scheduleProblems(where: string, optimizer: RunConfig['training']['optimizer'], given: Given): string[] {
  return optimizer.lrSchedule === 'constant' ? ineffective(given, [`${where}.lrEndFraction`], `${where}.lrSchedule is constant`) : [];
}

function creditProblems({ credit }: RunConfig, given: Given): string[] {
  const problems: string[] = [];
  if (credit.method === 'grpo') {
    const turnOnly = ['gamma', 'alpha', 'similarity', 'embeddingModel'].map((key) => `credit.${key}`);
    problems.push(...ineffective(given, turnOnly, turnCreditIsOff));
  } else if (credit.alpha === 0) {
    problems.push(...ineffective(given, ['credit.similarity', 'credit.embeddingModel'], 'credit.alpha is 0'));
  }
  if (credit.similarity === 'embedding' && credit.embeddingModel === null) {
    problems.push('credit.embeddingModel: expected a Hugging Face directory with onnx/model.onnx, since credit.similarity is embedding');
  }
  if (credit.embeddingModel !== null && !existsSync(join(credit.embeddingModel, 'onnx', 'model.onnx'))) {
    problems.push(
      `credit.embeddingModel: expected a Hugging Face directory with onnx/model.onnx, got ${credit.embeddingModel}: download one with its ONNX export`,
    );
  }
  if (credit.similarity !== 'embedding') problems.push(...ineffective(given, ['credit.embeddingModel'], `credit.similarity is ${credit.similarity}`));
  return [...new Set(problems)];
}

function evaluationProblems({ evaluation }: RunConfig, given: Given): string[] {
  const { modes } = evaluation;
  const problems = modes.includes('sampled') ? [] : ineffective(given, ['evaluation.samplesPerTask'], 'evaluation.modes has no sampled');
  if (new Set(modes).size < modes.length) problems.push(`evaluation.modes: expected each mode once, got ${modes.join(', ')}`);
  return problems;
}

function sandboxProblems({ sandbox }: RunConfig, given: Given): string[] {
  const problems = sandbox.backend === 'embedded' ? ineffective(given, ['sandbox.image', 'sandbox.rollback'], 'sandbox.backend is embedded') : [];
  if (sandbox.backend !== 'auto') problems.push(...otherwiseAsked('sandbox.backend', sandbox.backend, 'TURNWISE_SANDBOX', 'auto'));
  if (sandbox.image !== undefined) problems.push(...otherwiseAsked('sandbox.image', sandbox.image, 'TURNWISE_SANDBOX_IMAGE', ''));
  return problems;
}

function otherwiseAsked(key: string, value: string, variable: string, any: string): string[] {
  const asked = process.env[variable] ?? '';
  if (asked === any || asked === '' || asked === value) return [];
  return [`${key}: the run asks for ${value}, ${variable}=${asked} gives its workers another: change one of them`];
}

function ineffective(given: Given, paths: readonly string[], because: string): string[] {
  return paths.filter(given).map((path) => `${path}: has no effect, because ${because}: remove it`);
}

function isGiven(raw: Readonly<Record<string, unknown>>, path: string): boolean {
  const value = path.split('.').reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], raw);
  return value !== undefined && value !== null;
}
