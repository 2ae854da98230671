/** @file The training batch of one step: the rows that credit assignment hands to the update. */

/** One trajectory, ready for the loss. All four arrays have length T; entries where `sampledMask` is 0 are 0. */
export interface BatchRow {
  readonly taskId: string;
  readonly sibling: number;
  readonly tokens: Int32Array;
  /** 1 where the policy sampled the token. */
  readonly sampledMask: Uint8Array;
  readonly behaviorLogprobs: Float32Array;
  /** Advantage of the turn that the token belongs to. */
  readonly advantages: Float32Array;
}
