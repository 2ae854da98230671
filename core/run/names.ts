/** @file Names shared by workflows, workers and scripts: task queues, search attributes, workflow ids. */

export const taskQueues = {
  workflows: 'turnwise',
  policy: 'turnwise-policy',
  sandbox: 'turnwise-sandbox',
  trainer: 'turnwise-trainer',
  scout: 'turnwise-scout',
} as const;

/**
 * Where workflows that play rollouts run: beside the policy, so that the server hands them `generate` back in the answer to the workflow task
 * that asked for it. On a queue of its own each would cost one more transaction and a way through matching.
 */
export const playingQueue = taskQueues.policy;

/** Custom search attributes and their types; SQL visibility allows few of each kind. */
export const searchAttributes = {
  TurnwiseRun: 'Keyword',
  TurnwisePhase: 'Keyword',
  TurnwiseFamily: 'Keyword',
  TurnwiseOutcome: 'Keyword',
  TurnwiseStep: 'Int',
  TurnwisePolicyVersion: 'Int',
  TurnwiseReward: 'Double',
} as const;

/** Workflow ids are paths, so that the UI sorts and filters them. */
export const workflowIds = {
  train: (run: string) => `train/${run}`,
  warmup: (run: string) => `train/${run}/warmup`,
  step: (run: string, step: number) => `train/${run}/s${step}`,
  group: (run: string, step: number, position: number) => `train/${run}/s${step}/t${position}`,
  evaluate: (run: string, step: number, mode: string) => `train/${run}/e${step}-${mode}`,
  scout: (scout: string) => `scout/${scout}`,
} as const;
