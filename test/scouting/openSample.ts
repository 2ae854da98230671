/** @file The sample index with sources behind it, and activities that work on it, each attempt as a worker would make it. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { createAnalyze } from '../../activities/analyze.ts';
import { artifactRoot } from '../../activities/artifacts/paths.ts';
import { ArtifactStore } from '../../activities/artifacts/store.ts';
import { createScope } from '../../activities/scope.ts';
import { type AskOptions, createAsk } from '../../activities/scout/ask.ts';
import type { ScoutDependencies } from '../../activities/scout/dependencies.ts';
import { createSynthesize } from '../../activities/synthesize.ts';
import type { ModelChoice, ScoutTarget } from '../../core/scout/run.ts';
import type { OpenRepository, StaticScope } from '../../core/scout/types.ts';
import { sampleIndex, sampleRepository } from './sampleIndex.ts';

export const sampleSource = 'def parse_line(self, line):\n    name, value = line.split(":")\n    return name, value\n';

export const openSample: OpenRepository = {
  index: sampleIndex,
  sourceOf: async (file, span = { startLine: 1, endLine: 3 }) => ({ file, span, text: sampleSource }),
};

export const sampleTarget: ScoutTarget = {
  id: 'T1',
  file: 'src/parser.py',
  entity: 'src/parser.py:HeaderParser.parse_line',
  kind: 'method',
  span: { startLine: 10, endLine: 20 },
  signature: 'def parse_line(self, line)',
  reason: 'named in the issue',
  state: 'found',
};

export const sampleScope: StaticScope = {
  repository: sampleRepository,
  files: [{ rank: 1, file: 'src/parser.py', relevance: 1, reason: 'named in the issue' }],
  targets: [
    {
      rank: 1,
      file: 'src/parser.py',
      entity: 'src/parser.py:HeaderParser.parse_line',
      kind: 'method',
      span: { startLine: 10, endLine: 20 },
      signature: 'def parse_line(self, line)',
      relevance: 1,
      reason: 'named in the issue',
    },
  ],
  mentions: [],
};

export const sampleIssue = 'parse_line cuts values at the second colon';

export const goodAnalysis = {
  role: 'Splits a header line at every colon.',
  locations: [{ file: 'src/parser.py', entity: 'HeaderParser.parse_line', reason: 'split once only', confidence: 0.9 }],
  insights: ['`line.split` has no limit'],
  alternatives: [],
  relevance: 0.9,
};

export interface SampleActivities {
  readonly store: ArtifactStore;
  readonly model: ModelChoice;
  readonly analyze: ReturnType<typeof createAnalyze>;
  readonly scope: ReturnType<typeof createScope>;
  readonly synthesize: ReturnType<typeof createSynthesize>;
}

/** Real SDK, real HTTP, real files; the environment is the worker's. */
export function sampleActivities(
  home: string,
  baseUrl: string,
  options: Partial<AskOptions> & { readonly environment?: NodeJS.ProcessEnv } = {},
): SampleActivities {
  const store = new ArtifactStore(artifactRoot(home));
  const { environment = {}, ...limits } = options;
  const ask = createAsk(environment);
  const dependencies: ScoutDependencies = {
    home,
    store,
    ask: (request, given) => ask(request, { ...given, ...limits }),
    openRepository: async () => openSample,
  };
  const model: ModelChoice = { provider: 'compatible', name: 'scripted', baseUrl };
  return { store, model, analyze: createAnalyze(dependencies), scope: createScope(dependencies), synthesize: createSynthesize(dependencies) };
}

/** One attempt. */
export function attempt<Input, Result>(activity: (input: Input) => Promise<Result>, input: Input): Promise<Result> {
  return new MockActivityEnvironment().run(activity, input) as Promise<Result>;
}
