/** @file Names shared by workflows, workers and scripts: task queues, search attributes, workflow ids. */

export const taskQueues = {
  workflows: 'turnwise',
  policy: 'turnwise-policy',
  sandbox: 'turnwise-sandbox',
  trainer: 'turnwise-trainer',
  scout: 'turnwise-scout',
} as const;

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
