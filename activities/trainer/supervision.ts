/** @file What the warm-up of a run imitates, step by step: demonstrations of its families, or a user's chats. */
import type { RunConfig } from '../../core/run/config.ts';
import type { Metrics } from '../../core/run/types.ts';
import { PolicyTokenizer } from '../policy/tokenizer/policyTokenizer.ts';
import type { SupervisedRow } from '../policy/training/types.ts';
import { openChats } from '../tasks/chatFile.ts';
import { chatMetrics, chatRows } from './chatRows.ts';
import { warmupRows } from './demonstrationRows.ts';
import { refuseConfig } from './failures.ts';

interface Supervision {
  readonly rowsOf: (step: number) => readonly SupervisedRow[];
  readonly metricsAt: (step: number) => Metrics;
}

/** Chats are tokenised once a run and process, not once a commit. */
export class LastSupervision {
  #last: { readonly run: string; readonly config: RunConfig; readonly supervision: Supervision } | undefined;

  /** `directory` holds the tokenizer, which is the same all through a run. */
  async of(run: string, config: RunConfig, directory: string): Promise<Supervision> {
    if (this.#last?.run === run && this.#last.config === config) return this.#last.supervision;
    const supervision = await supervisionOf(config, await PolicyTokenizer.load(directory));
    this.#last = { run, config, supervision };
    return supervision;
  }
}

/** What is imitated: a user's chats, or demonstrations. */
async function supervisionOf(config: RunConfig, tokenizer: PolicyTokenizer): Promise<Supervision> {
  const { chats, batchSize } = config.warmup;
  if (!chats) return { rowsOf: warmupRows(config, tokenizer), metricsAt: () => ({}) };
  const file = await openChats(chats, tokenizer, config.policy.contextLength).catch((error) => refuseConfig(error, 'warmup.chats'));
  return { rowsOf: chatRows(file, config), metricsAt: (step) => chatMetrics(file, batchSize, step) };
}
