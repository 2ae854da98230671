/** @file Activity `prepareRun`: makes a run, or finds where it stands, so that training goes on with the first step that is not on disk. */
import { mkdir, readlink, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RunConfig } from '../core/run/config.ts';
import type { EvaluationResult, PreparedRun, PrepareInput } from '../core/run/types.ts';
import { runPaths } from './artifacts/paths.ts';
import { type FoundCheckpoint, findNewestCheckpoint } from './checkpoint/findCheckpoint.ts';
import type { TrainerState } from './checkpoint/trainerState.ts';
import { pointLatestTo, removeTemporary, writeCheckpoint } from './checkpoint/writeCheckpoint.ts';
import { heartbeating } from './heartbeating.ts';
import { type EvaluationLine, identifyEvaluation, readLines } from './records/lines.ts';
import { configDifferences, readStoredConfig, writeStoredConfig } from './runs/storedConfig.ts';
import type { TrainerActivities } from './signatures.ts';
import { openEmbedder } from './similarity/embedder.ts';
import { validateTasks } from './tasks/validateTasks.ts';
import { configSha256 } from './trainer/commit.ts';
import { ConfigError } from './trainer/configError.ts';
import { refuseConfig, throwTrainerFailure } from './trainer/failures.ts';
import { initialPolicy } from './trainer/initialPolicy.ts';
import { modelCard } from './trainer/modelCard.ts';
import { validateChats } from './trainer/validateChats.ts';

export function createPrepareRun({ home }: { readonly home: string }): TrainerActivities['prepareRun'] {
  return (input) => heartbeating(() => prepareRun(home, input)).catch(throwTrainerFailure);
}

async function prepareRun(home: string, { run, config }: PrepareInput): Promise<PreparedRun> {
  await refuseBadTasks(config);
  await refuseBadEmbedder(config);
  // Later each commit reads the file again; a run whose warm-up is over needs it no more.
  if ((await readStoredConfig(home, run)) === undefined) await refuseBadChats(config);
  await settleConfig(home, run, config);
  const { checkpoints, evaluations, status } = runPaths(home, run);
  await mkdir(checkpoints, { recursive: true });
  await removeTemporary(checkpoints);
  await rm(status, { force: true }); // however it ended before, now it goes on
  const { newest, warnings } = await findNewestCheckpoint(checkpoints);
  const { policy, state } = newest ?? (await makeInitialCheckpoint(checkpoints, config));
  await repairLatest(checkpoints, basename(policy.checkpoint));
  const before = evaluationsBefore(await readLines(evaluations, identifyEvaluation), state);
  const { warmupStep, globalStep: step, hyperparameters } = state;
  return { policy, warmupStep, step, ...(hyperparameters !== null && { hyperparameters }), before, warnings };
}

/** Before anything is written; and of a run that goes on, whether its files still hold the tasks that it began with. */
async function refuseBadTasks(config: RunConfig): Promise<void> {
  await validateTasks(config).catch((error) => refuseConfig(error));
}

async function refuseBadChats(config: RunConfig): Promise<void> {
  await validateChats(config).catch((error) => refuseConfig(error, 'warmup.chats'));
}

/** A model that cannot embed would be found only after the warm-up, with the first group in which some solve and some do not. */
async function refuseBadEmbedder({ credit: { similarity, embeddingModel } }: RunConfig): Promise<void> {
  if (similarity !== 'embedding' || embeddingModel === null) return;
  const embedder = await openEmbedder(embeddingModel);
  await embedder.embed(['print(1)']).finally(() => embedder.release());
}

/** A run has one configuration for life: its checkpoints and records mean nothing under another. */
async function settleConfig(home: string, run: string, config: RunConfig): Promise<void> {
  const stored = await readStoredConfig(home, run);
  if (stored === undefined) return writeStoredConfig(home, run, config);
  const differences = configDifferences(stored, JSON.parse(JSON.stringify(config)));
  if (differences.length === 0) return;
  throw new ConfigError(
    `run ${run} exists with another configuration (stored → given): ${differences.join('; ')}. ` +
      `Go on with the stored one by \`npm run resume -- ${run}\`, or start a run under another name`,
  );
}

async function makeInitialCheckpoint(checkpoints: string, config: RunConfig): Promise<FoundCheckpoint> {
  const state: TrainerState = {
    schemaVersion: 1,
    globalStep: 0,
    warmupStep: 0,
    policyVersion: 0,
    seed: config.seed,
    configSha256: configSha256(config),
    parentManifestSha256: null,
    batchSha256: null,
    hyperparameters: null,
    metrics: {},
  };
  const { weights, files } = await initialPolicy(config);
  const policy = await writeCheckpoint(checkpoints, { state, weights, moments: null, files, card: modelCard(config, state, files) });
  return { policy, state };
}

/** A kill between the checkpoint and its link, or a refused checkpoint, leaves `latest` behind. */
async function repairLatest(checkpoints: string, name: string): Promise<void> {
  const target = await readlink(join(checkpoints, 'latest')).catch(() => undefined);
  if (target !== name) await pointLatestTo(checkpoints, name);
}

/** Those of the policy that reinforcement learning starts from; before it has started, only those of this very policy. */
function evaluationsBefore(lines: readonly EvaluationLine[], state: TrainerState): readonly EvaluationResult[] {
  const found = lines.filter(({ step, policyVersion }) => step === 0 && (state.globalStep > 0 || policyVersion === state.policyVersion));
  return found.map(({ step: _step, time: _time, ...result }) => result);
}
