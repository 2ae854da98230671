/** @file An activity interceptor that heartbeats for as long as the activity runs. */
import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';

/**
 * The start of an attempt counts as a heartbeat, so the first one of ours comes a third of the timeout later: an activity that is quick
 * costs the server nothing. It works for activities that leave the event loop free; the others heartbeat from where they compute.
 */
export function heartbeatThroughout(context: Context): ActivityInterceptors {
  return {
    inbound: {
      async execute(input, next) {
        const timeoutMs = context.info.heartbeatTimeoutMs;
        const timer = timeoutMs === undefined ? undefined : setInterval(() => context.heartbeat(), timeoutMs / 3);
        try {
          return await next(input);
        } finally {
          clearInterval(timer);
        }
      },
    },
  };
}
