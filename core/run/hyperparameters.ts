/** @file What an operator may change while a run goes on: where the values start, and which changes are allowed. */
import type { CreditConfig, RunConfig } from './config.ts';
import type { Hyperparameters } from './types.ts';

/** Lowest and highest value allowed, both inclusive. A mapped type, so that a new hyperparameter without a range does not compile. */
export const hyperparameterRanges: { readonly [Name in keyof Hyperparameters]: readonly [low: number, high: number] } = {
  lr: [0, 1],
  temperature: [0.01, 10],
  clipLow: [0, 1],
  clipHigh: [0, 10],
  klCoefficient: [0, 100],
  entropyCoefficient: [0, 10],
  gamma: [0, 1],
  alpha: [0, 10],
  formatPenalty: [0, 10],
};

/** Why what belongs to single turns would be ignored. */
export const turnCreditIsOff = 'credit.method is grpo, which has neither discount nor shaping';

export function hyperparametersOf(config: RunConfig): Hyperparameters {
  const { loss, credit } = config;
  return {
    lr: config.training.optimizer.lr,
    temperature: config.sampling.temperature,
    clipLow: loss.clipLow,
    clipHigh: loss.clipHigh,
    klCoefficient: loss.klCoefficient,
    entropyCoefficient: loss.entropyCoefficient,
    gamma: credit.gamma,
    alpha: credit.alpha,
    formatPenalty: credit.formatPenalty,
  };
}

/** The run's configuration with the operator's values in the places where they are read. */
export function withHyperparameters(config: RunConfig, values: Hyperparameters): RunConfig {
  const { lr, temperature, clipLow, clipHigh, klCoefficient, entropyCoefficient, gamma, alpha, formatPenalty } = values;
  return {
    ...config,
    training: { ...config.training, optimizer: { ...config.training.optimizer, lr } },
    sampling: { ...config.sampling, temperature },
    loss: { ...config.loss, clipLow, clipHigh, klCoefficient, entropyCoefficient },
    credit: { ...config.credit, gamma, alpha, formatPenalty },
  };
}

/** What is wrong with a change, or undefined when it may be made in a run of this credit assignment. */
export function hyperparameterProblem(change: Readonly<Record<string, unknown>>, { method }: Pick<CreditConfig, 'method'>): string | undefined {
  const names = Object.keys(change);
  if (names.length === 0) return `setHyperparameters: expected at least one of ${Object.keys(hyperparameterRanges).join(', ')}, got none`;
  for (const name of names) {
    if (!isHyperparameter(name)) return `setHyperparameters: unknown hyperparameter '${name}'; expected one of ${Object.keys(hyperparameterRanges).join(', ')}`;
    const [low, high] = hyperparameterRanges[name];
    const value = change[name];
    if (typeof value !== 'number' || !(value >= low && value <= high)) {
      return `setHyperparameters: ${name}: expected a number from ${low} to ${high}, got ${JSON.stringify(value)}`;
    }
    if (method === 'grpo' && (name === 'gamma' || name === 'alpha')) return `setHyperparameters: ${name}: has no effect, because ${turnCreditIsOff}`;
  }
  return undefined;
}

function isHyperparameter(name: string): name is keyof Hyperparameters {
  return Object.hasOwn(hyperparameterRanges, name);
}
