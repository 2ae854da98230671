/** @file Activity `drawTasks`: the next tasks of a run's stream. */
import { heartbeating } from './heartbeating.ts';
import type { LightActivities } from './signatures.ts';
import type { LoadTaskSources } from './tasks/taskSources.ts';

export function createDrawTasks(dependencies: { readonly sources: LoadTaskSources }): LightActivities['drawTasks'] {
  return ({ run, split, offset, count }) =>
    heartbeating(async () => {
      const sources = await dependencies.sources(run);
      return sources.draw(split, offset, count);
    });
}
