/**
 * @file Which checkpoint the training engine holds. Training goes on in memory while it is the one that the workflow names, and from disk
 * when it is not: after a restart, a refused checkpoint, or a step that failed half-way. Both give the same bits.
 */
import { basename, join } from 'node:path';
import type { Weights } from '../../core/model/config.ts';
import type { PolicyRef } from '../../core/rollout/types.ts';
import { modelFolder, runPaths } from '../artifacts/paths.ts';
import { checkpointName } from '../checkpoint/checkpointName.ts';
import { openCheckpoint } from '../checkpoint/findCheckpoint.ts';
import { readMoments } from '../checkpoint/moments.ts';
import { readTrainedPolicy } from '../checkpoint/policyDirectory.ts';
import { type PolicyFiles, readPolicyFiles } from '../checkpoint/policyFiles.ts';
import type { TrainerState } from '../checkpoint/trainerState.ts';
import type { LoadableTrainingEngine } from '../policy/training/engine.ts';

export interface Wanted {
  readonly run: string;
  readonly policy: PolicyRef;
  /** Each phase has an optimiser of its own: reinforcement learning starts with one at zero on the last warm-up checkpoint. */
  readonly phase: 'warmup' | 'reinforcement';
  /** Load the frozen policy that KL is measured to: the one that reinforcement learning started from. */
  readonly withReference: boolean;
  /** `policy.recomputeActivations` of the run. */
  readonly recomputeActivations?: boolean | undefined;
}

/** What training goes on from. */
export interface Held {
  readonly engine: LoadableTrainingEngine;
  readonly state: TrainerState;
  readonly files: PolicyFiles;
}

export class LoadedPolicy {
  readonly #home: string;
  readonly #createEngine: () => LoadableTrainingEngine;
  #engine: LoadableTrainingEngine | undefined;
  #held: (Held & { readonly key: string }) | undefined;

  constructor(home: string, createEngine: () => LoadableTrainingEngine) {
    this.#home = home;
    this.#createEngine = createEngine;
  }

  /**
   * Runs `work` with the engine holding what is wanted, and remembers that it then holds the policy that `work` answers with. When `work`
   * throws, the engine may be anywhere between the two, or its thread dead: it is given up, and the next call starts from disk.
   * @throws CheckpointError when the checkpoint is not what the reference names.
   */
  async train<Result extends { readonly policy: PolicyRef; readonly state: TrainerState }>(
    wanted: Wanted,
    work: (held: Held) => Promise<Result>,
  ): Promise<Result> {
    try {
      const held = this.#held?.key === keyOf(wanted) ? this.#held : await this.#load(wanted);
      this.#held = undefined;
      const result = await work(held);
      this.#held = { ...held, key: keyOf({ ...wanted, policy: result.policy }), state: result.state };
      return result;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    this.#held = undefined;
    await engine?.close();
  }

  async #load({ run, policy, phase, withReference, recomputeActivations }: Wanted): Promise<Held> {
    const { checkpoints } = runPaths(this.#home, run);
    const directory = join(checkpoints, basename(policy.checkpoint));
    const { state } = await openCheckpoint(checkpoints, basename(policy.checkpoint), policy.manifestSha256);
    const { config, weights, base } = await readTrainedPolicy(join(directory, 'policy'), modelFolder(this.#home));
    const startsAfresh = phase === 'reinforcement' && state.globalStep === 0;
    const moments = startsAfresh ? null : await readMoments(join(directory, 'optimizer.safetensors'));
    const reference = withReference ? await readReference(checkpoints, state, this.#home) : null;
    this.#engine ??= this.#createEngine();
    await this.#engine.load(config, weights, moments, reference, base, recomputeActivations);
    return { engine: this.#engine, state, files: await readPolicyFiles(join(directory, 'policy')) };
  }
}

/** Pruning keeps this checkpoint for as long as the run lives. No earlier one can stand in for it, as it can for a torn one that training goes on from. */
async function readReference(checkpoints: string, { warmupStep }: TrainerState, home: string): Promise<Weights> {
  const name = checkpointName({ globalStep: 0, warmupStep });
  try {
    await openCheckpoint(checkpoints, name);
    return (await readTrainedPolicy(join(checkpoints, name, 'policy'), modelFolder(home))).weights;
  } catch (error) {
    throw new ReferencePolicyError(`reference policy of klCoefficient: ${(error as Error).message}`, { cause: error });
  }
}

/** The frozen policy that KL is measured to cannot be read. */
class ReferencePolicyError extends Error {
  override readonly name = 'ReferencePolicyError';
}

function keyOf({ run, policy, phase, withReference }: Wanted): string {
  return [run, phase, withReference, policy.manifestSha256].join(' ');
}
