/** @file Removes boxes that nobody owns any more: the second line behind the box's own end when its stream closes. Never another worker's. */
import { setInterval } from 'node:timers';
import type Dockerode from 'dockerode';
import { isProvablyGone, parseOwner } from '../../processOwner.ts';
import { engineMessage, engineTimeoutMs, statusOf } from './engine.ts';
import { labels } from './labels.ts';

/** What the daemon tells of a box that is ours. */
export interface FoundBox {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `running`, `exited`, … */
  readonly state: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Who makes a box starts it within two answers of the daemon, or gives it up. One that stays unstarted is one whose creation a dying daemon did not report. */
export const startedWithinMs = 2.5 * engineTimeoutMs;

/**
 * It has ended and was not removed with it (a daemon that restarts forgets to), it was never started, its owner is provably gone, or its time is over whoever
 * owns it. One that runs and has no labels that can be read is left alone.
 */
export function isAbandoned({ labels: found, state, createdAt }: FoundBox, now: number): boolean {
  if (state === 'exited' || state === 'dead') return true;
  if (state === 'created' && now > createdAt + startedWithinMs) return true;
  const owner = parseOwner(found[labels.owner]);
  if (owner !== undefined && isProvablyGone(owner)) return true;
  const expires = Number(found[labels.expires]);
  return Number.isFinite(expires) && expires > 0 && now > expires;
}

export async function ownBoxes(docker: Dockerode): Promise<FoundBox[]> {
  const found = await docker.listContainers({ all: true, filters: { label: [`${labels.sandbox}=1`] } });
  return found.map(({ Id, Labels, State, Created }) => ({ id: Id, labels: Labels, state: State, createdAt: 1000 * Created }));
}

/** Answers with the ids of what it removed. */
export async function reap(docker: Dockerode, now = Date.now()): Promise<string[]> {
  const abandoned = (await ownBoxes(docker)).filter((box) => isAbandoned(box, now));
  const removed: string[] = [];
  for (const { id } of abandoned) {
    if (await removeBox(docker, id)) removed.push(id);
  }
  return removed;
}

/** True when it is gone. Being removed by somebody else, or by itself, is being gone. */
export async function removeBox(docker: Dockerode, id: string): Promise<boolean> {
  try {
    await docker.getContainer(id).remove({ force: true, v: true });
    return true;
  } catch (error) {
    const status = statusOf(error);
    return status === 404 || (status === 409 && /already in progress/.test(engineMessage(error)));
  }
}

/** Now and every minute until it is stopped; a daemon that does not answer is asked again the next time. */
export function reapRegularly(docker: Dockerode, onReaped: (ids: readonly string[]) => void, everyMs = 60_000): { readonly stop: () => void } {
  const turn = () =>
    reap(docker).then(
      (ids) => ids.length > 0 && onReaped(ids),
      () => undefined,
    );
  void turn();
  const timer = setInterval(turn, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
