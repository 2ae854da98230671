/**
 * @file The workflows of turnwise, by the names under which Temporal lists them. Types are plain nouns and verbs because they are what one
 * reads and filters by in the UI: `WorkflowType = 'group' AND TurnwiseOutcome = 'mixed'`.
 */
export { evaluate } from './evaluate.ts';
export { group } from './group.ts';
export { rollout } from './rollout.ts';
export { scout } from './scout.ts';
export { step } from './step.ts';
export { train } from './train.ts';
export { warmup } from './warmup.ts';
