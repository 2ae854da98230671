/** @file What a stage says to a model. The rules are in `system` and after the data in `user`; everything of the user's is fenced. */
export interface Prompt {
  readonly system: string;
  readonly user: string;
}

/** The way back of an answer that cannot be used. */
export function repairRequest(complaint: string): string {
  return `That answer cannot be used: ${complaint}\nAnswer again with the one JSON object that was asked for, complete and corrected, and nothing else.`;
}
