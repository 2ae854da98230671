/** @file The sandboxes of one worker: the one that it chose, and the embedded one for runs that ask for it by name. */
import type { RunConfig } from '../../core/run/config.ts';
import { type SandboxBackend, SandboxUnavailable } from './sandbox.ts';

export class Backends {
  readonly chosen: SandboxBackend;
  readonly #makeEmbedded: (() => SandboxBackend) | undefined;
  #embedded: SandboxBackend | undefined;

  /** Without `makeEmbedded` every run gets the chosen one or none. */
  constructor(chosen: SandboxBackend, makeEmbedded?: () => SandboxBackend) {
    this.chosen = chosen;
    this.#makeEmbedded = makeEmbedded;
  }

  /** @throws SandboxUnavailable when the run asks for one that this worker does not have. */
  of(asked: RunConfig['sandbox']): SandboxBackend {
    const { name, image = 'none' } = this.chosen;
    if (asked.backend === 'embedded' && name !== 'embedded' && this.#makeEmbedded) {
      this.#embedded ??= this.#makeEmbedded();
      return this.#embedded;
    }
    if (asked.backend !== 'auto' && asked.backend !== name) throw another('backend', asked.backend, name, 'TURNWISE_SANDBOX');
    if (asked.image !== undefined && asked.image !== image) throw another('image', asked.image, image, 'TURNWISE_SANDBOX_IMAGE');
    if (asked.rollback !== undefined && name === 'embedded') throw withoutEffect(asked.rollback);
    return this.chosen;
  }

  async shutdown(): Promise<void> {
    await Promise.all([this.chosen.shutdown(), this.#embedded?.shutdown()]);
  }
}

function another(key: string, wanted: string, here: string, variable: string): SandboxUnavailable {
  return new SandboxUnavailable(
    `sandbox.${key}: the run asks for ${wanted}, this worker has ${here}: start the workers with ${variable}=${wanted}, which says what is missing, or change the run`,
  );
}

function withoutEffect(rollback: boolean): SandboxUnavailable {
  return new SandboxUnavailable(
    `sandbox.rollback: the run asks for ${rollback}, this worker has the embedded sandbox, where the key has no effect: start the workers with TURNWISE_SANDBOX=docker, which says what is missing, or leave the key out`,
  );
}
