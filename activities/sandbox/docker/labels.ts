/** @file The labels of our boxes. */
export const labels = {
  /** On every box of ours, whoever made it. */
  sandbox: 'turnwise.sandbox',
  owner: 'turnwise.owner',
  /** What for: a worker's name, `doctor`, `bench`. */
  purpose: 'turnwise.purpose',
  /** Milliseconds since 1970 after which the box is nobody's, even where its owner cannot be looked up. */
  expires: 'turnwise.expires',
} as const;
