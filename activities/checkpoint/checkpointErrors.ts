/** @file What can be wrong with a checkpoint. */

/** A checkpoint that is missing, torn, or not what its manifest says. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';

  constructor(checkpoint: string, message: string) {
    super(`checkpoint ${checkpoint}: ${message}`);
  }
}
