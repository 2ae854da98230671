/** @file The form of report.json, from which docs/scout-report.schema.json is made: what a reader of reports may rely on. */
import { z } from 'zod';
import type { Finding, Synthesis } from '../../core/scout/findings.ts';
import type { ReportedTarget, ScoutReport } from '../../core/scout/report.ts';
import { modelProviders } from '../../core/scout/run.ts';

const count = z.int().min(0);
const share = z.number().min(0).max(1);
const line = z.int().min(1);
const span = z.strictObject({ startLine: line, endLine: line }).describe('Lines from 1, both ends included.');
const place = { file: z.string().min(1), span, entity: z.string().exactOptional() };
const location = z.strictObject({ ...place, reason: z.string(), confidence: share });
const named = z.strictObject({ ...place, reason: z.string() });
const texts = z.array(z.string());

const sections: z.ZodType<Synthesis> = z.strictObject({
  title: z.string(),
  description: z.array(z.strictObject({ text: z.string(), place: z.strictObject(place).nullable().describe('Null: the original statement.') })),
  reproduction: z.array(z.strictObject({ text: z.string(), code: z.string() })),
  expected: texts,
  files: z.array(named),
  entities: z.array(named),
  locations: z.array(location),
  hints: z.array(z.strictObject({ text: z.string(), code: z.string(), place: z.strictObject(place) })),
  unresolved: texts,
});

const finding: z.ZodType<Omit<Finding, 'target'>> = z.strictObject({
  place: z.strictObject(place),
  role: z.string(),
  locations: z.array(location),
  insights: texts,
  alternatives: texts,
  relevance: share,
  unresolved: texts,
});

const kinds = ['file', 'class', 'function', 'method', 'import', 'variable'] as const;

const target: z.ZodType<ReportedTarget> = z.strictObject({
  id: z.string().regex(/^T[1-9]\d*$/),
  file: z.string().min(1),
  entity: z.string().min(1),
  kind: z.enum(kinds),
  span,
  signature: z.string(),
  reason: z.string(),
  state: z.enum(['found', 'analyzing', 'kept', 'filtered', 'dropped', 'unaffordable']),
  relevance: share.exactOptional(),
  failure: z.string().exactOptional(),
  finding: finding.exactOptional(),
});

const skipReasons = ['otherLanguage', 'tooLarge', 'binary', 'notUtf8', 'symlink', 'submodule', 'unsafePath', 'unparsable', 'unreadable', 'overLimit'] as const;

function forEach<Key extends string, Schema extends z.ZodType>(keys: readonly Key[], schema: Schema): Record<Key, Schema> {
  return Object.fromEntries(keys.map((key) => [key, schema])) as Record<Key, Schema>;
}

const index = z.strictObject({
  files: count,
  testFiles: count,
  entities: z.strictObject(forEach(kinds, count)),
  languages: z.record(z.string(), count),
  skipped: z.strictObject(forEach(skipReasons, count.exactOptional())),
  broken: count,
});

const usage = z.strictObject({ calls: count, inputTokens: count, outputTokens: count });
const dollars = z.number().min(0);

export const reportSchema: z.ZodType<ScoutReport> = z.strictObject({
  version: z.literal(1),
  method: z.literal('CodeScout, arXiv 2603.05744'),
  mode: z.enum(['static', 'model']),
  model: z.strictObject({ provider: z.enum(modelProviders), name: z.string() }).nullable(),
  repository: z.strictObject({ commit: z.string().nullable().describe('Null for a folder without git.'), contentHash: z.string(), index }),
  complete: z.boolean(),
  notes: texts.describe('What is missing and why; empty in a complete report.'),
  original: z.string().describe('The statement as it was given, byte for byte.'),
  sections,
  targets: z.array(target),
  facts: z.strictObject({ stated: count, lost: texts, onlyInOriginal: texts }),
  unresolved: texts.describe('Names that were removed because the repository does not have them.'),
  relevanceThreshold: share,
  usage: z.strictObject({ scope: usage, analyze: usage, synthesize: usage, total: usage }),
  cost: z.strictObject({ scope: dollars, analyze: dollars, synthesize: dollars, total: dollars }).nullable().describe('US dollars; null without a price.'),
});

/** JSON Schema, draft 2020-12. */
export function reportJsonSchema(): object {
  return z.toJSONSchema(reportSchema, { target: 'draft-2020-12' });
}
