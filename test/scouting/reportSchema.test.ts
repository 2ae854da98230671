/** @file The published JSON schema of reports: it is made from the code, and it refuses what a reader could not use. Real reports are held against it in the integration tests. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { reportJsonSchema } from '../../activities/scout/reportSchema.ts';
import { noUsage } from '../../core/scout/budget.ts';
import { makeReport } from '../../core/scout/makeReport.ts';
import { sampleRepository } from './sampleIndex.ts';

const validate = new Ajv2020({ strict: true }).compile(reportJsonSchema());
const limits = { tokens: 1000, dollars: null, targets: 15, concurrency: 1, relevance: 0.5 };
const { commit, contentHash, summary } = sampleRepository;
const { report } = makeReport({
  model: null,
  commit,
  contentHash,
  summary,
  original: 'parse_line fails',
  targets: [],
  findings: new Map(),
  unresolved: [],
  notes: [],
  usage: { scope: noUsage, analyze: noUsage, synthesize: noUsage },
  limits,
});

test('docs/scout-report.schema.json is the schema of this version (run with -u to write it anew)', async () => {
  await expect(`${JSON.stringify(reportJsonSchema(), null, 2)}\n`).toMatchFileSnapshot('../../docs/scout-report.schema.json');
});

test('a report without targets fits', () => {
  validate(report);
  expect(validate.errors).toBeNull();
});

test.each([
  ['a key too many', { ...report, extra: 1 }],
  ['another version', { ...report, version: 2 }],
  ['no original', { ...report, original: undefined }],
  ['lines from 0', { ...report, sections: { ...report.sections, files: [{ file: 'a.py', span: { startLine: 0, endLine: 1 }, reason: '' }] } }],
  ['a threshold that is no share', { ...report, relevanceThreshold: 50 }],
  ['a reason to skip that nobody knows', { ...report, repository: { ...report.repository, index: { ...report.repository.index, skipped: { boredom: 1 } } } }],
])('%s does not fit', (_, wrong) => {
  expect(validate(JSON.parse(JSON.stringify(wrong)))).toBe(false);
});
