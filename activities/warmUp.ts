/** @file Activity `warmUp`: supervised steps on demonstrations, from one commit to the next. */
import { basename, join } from 'node:path';
import type { RunConfig } from '../core/run/config.ts';
import { learningRateAt } from '../core/run/learningRate.ts';
import type { Metrics, UpdateResult, WarmupInput } from '../core/run/types.ts';
import { runPaths } from './artifacts/paths.ts';
import { heartbeating } from './heartbeating.ts';
import { PolicyTokenizer } from './policy/tokenizer/policyTokenizer.ts';
import type { SupervisedMetrics, SupervisedRow } from './policy/training/types.ts';
import type { TrainerActivities } from './signatures.ts';
import { openChats } from './tasks/chatFile.ts';
import { chatMetrics, chatRows } from './trainer/chatRows.ts';
import { commit, findCommitted } from './trainer/commit.ts';
import { warmupRows } from './trainer/demonstrationRows.ts';
import type { Attempt, TrainerDependencies } from './trainer/dependencies.ts';
import { refuseConfig, throwTrainerFailure } from './trainer/failures.ts';
import type { Held } from './trainer/loadedPolicy.ts';

export function createWarmUp(trainer: TrainerDependencies): TrainerActivities['warmUp'] {
  const supervisions = new LastSupervision();
  return (input) => heartbeating((signal, report) => warmUp({ ...trainer, supervisions }, input, { signal, report })).catch(throwTrainerFailure);
}

type WarmupDependencies = TrainerDependencies & { readonly supervisions: LastSupervision };

async function warmUp(trainer: WarmupDependencies, input: WarmupInput, attempt: Attempt): Promise<UpdateResult> {
  const { run, policy, toStep } = input;
  const position = { globalStep: 0, warmupStep: toStep };
  const madeFrom = { parentManifestSha256: policy.manifestSha256, batchSha256: null, hyperparameters: null };
  const known = await findCommitted(trainer, run, position, madeFrom);
  if (known !== undefined) return { policy: known.policy, metrics: known.state.metrics };
  const started = performance.now();
  const { policy: next, state } = await trainer.loaded.train({ run, policy, phase: 'warmup', withReference: false }, async (held) => {
    const metrics = await supervisedSteps(trainer, held, input, attempt);
    attempt.signal.throwIfAborted();
    return commit(trainer, run, { ...held, policy }, { ...position, batchSha256: null, hyperparameters: null, metrics });
  });
  return { policy: next, metrics: { ...state.metrics, 'time/warmup': (performance.now() - started) / 1000 } };
}

async function supervisedSteps(trainer: WarmupDependencies, { engine }: Held, input: WarmupInput, { signal, report }: Attempt): Promise<Metrics> {
  const { run, policy, fromStep, toStep } = input;
  const config = await trainer.loadConfig(run);
  const { optimizer, steps } = config.warmup;
  const lrAt = (step: number) => learningRateAt(step, steps, optimizer);
  const directory = join(runPaths(trainer.home, run).checkpoints, basename(policy.checkpoint), 'policy');
  const { rowsOf, metricsAt } = await trainer.supervisions.of(run, config, directory);
  const done: SupervisedMetrics[] = [];
  let rows = rowsOf(fromStep);
  let leftOut = 0;
  for (let step = fromStep; step <= toStep; step++) {
    leftOut += config.warmup.batchSize - rows.length;
    const training = engine.supervisedStep(rows, { ...optimizer, lr: lrAt(step) }, signal);
    // The engine has a thread of its own: the next rows are drawn while it computes.
    const [metrics, next] = await Promise.all([training, step < toStep ? promised(() => rowsOf(step + 1)) : rows]);
    rows = next;
    report({ step, steps, loss: metrics.loss });
    done.push(metrics);
  }
  return { lr: lrAt(toStep), ...summary(done), ...(leftOut > 0 && { 'demonstrations/left_out': leftOut }), ...metricsAt(toStep) };
}

interface Supervision {
  readonly rowsOf: (step: number) => readonly SupervisedRow[];
  readonly metricsAt: (step: number) => Metrics;
}

/** Chats are tokenised once a run and process, not once a commit. */
class LastSupervision {
  #last: { readonly run: string; readonly config: RunConfig; readonly supervision: Supervision } | undefined;

  /** `directory` holds the tokenizer, which is the same all through a run. */
  async of(run: string, config: RunConfig, directory: string): Promise<Supervision> {
    if (this.#last?.run === run && this.#last.config === config) return this.#last.supervision;
    const supervision = await supervisionOf(config, await PolicyTokenizer.load(directory));
    this.#last = { run, config, supervision };
    return supervision;
  }
}

/** What is imitated: a user's chats, or demonstrations. */
async function supervisionOf(config: RunConfig, tokenizer: PolicyTokenizer): Promise<Supervision> {
  const { chats, batchSize } = config.warmup;
  if (!chats) return { rowsOf: warmupRows(config, tokenizer), metricsAt: () => ({}) };
  const file = await openChats(chats, tokenizer, config.policy.contextLength).catch((error) => refuseConfig(error, 'warmup.chats'));
  return { rowsOf: chatRows(file, config), metricsAt: (step) => chatMetrics(file, batchSize, step) };
}

/** What `make` makes; what it throws is a rejection, beside those of other promises. */
async function promised<T>(make: () => T): Promise<T> {
  return make();
}

/** Means over the steps of the commit; the loss is that of its last tenth, which is what a curve should show. */
function summary(steps: readonly SupervisedMetrics[]): Metrics {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    loss: mean(steps.slice(-Math.ceil(steps.length / 10)).map(({ loss }) => loss)),
    grad_norm: mean(steps.map(({ gradNorm }) => gradNorm)),
    'tokens/trained': steps.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}
