/** @file What a training step may refuse to do. Names survive the way out of the worker thread. */

/** The sampler's and the trainer's log-probabilities differ by more than the bound: the weights were not changed. */
export class LogprobGateClosed extends Error {
  override readonly name = 'LogprobGateClosed';
  readonly difference: number;
  readonly bound: number;

  constructor(difference: number, bound: number) {
    super(
      `log-probability gate: expected sampler and trainer to agree within ${bound}, found a difference of ${difference}; the weights are unchanged. ` +
        'Check that the rollouts came from this policy version and this engine.',
    );
    this.difference = difference;
    this.bound = bound;
  }
}

/** A loss or gradient is not a finite number: the weights were not changed. */
export class NonFiniteLoss extends Error {
  override readonly name = 'NonFiniteLoss';
}
