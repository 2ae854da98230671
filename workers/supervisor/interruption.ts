/** @file When a person, the terminal or the parent asks us to end: once politely, a second time at once. */

/** npm and the shell may both pass on the same Ctrl-C; only a later one is a second request. */
const secondAfterMs = 500;

export interface Interruption {
  /** Aborted by the first request. */
  readonly signal: AbortSignal;
  /** Takes the listeners away, so that the process can end by itself. */
  dispose(): void;
}

/** @param hardStop runs at the second request, before the process exits with 130. */
export function listenForInterruption(hardStop: () => void): Interruption {
  const controller = new AbortController();
  let firstAt = 0;
  const request = () => {
    if (!controller.signal.aborted) {
      firstAt = Date.now();
      controller.abort();
    } else if (Date.now() - firstAt > secondAfterMs) {
      hardStop();
      process.exit(130);
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, request);
  process.on('disconnect', request); // the bootstrap that started us is gone
  process.channel?.unref();
  const dispose = () => {
    for (const name of signals) process.off(name, request);
    process.off('disconnect', request);
  };
  return { signal: controller.signal, dispose };
}
