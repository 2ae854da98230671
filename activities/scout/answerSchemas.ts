/** @file The form of the answers. Every key is required, which strict providers want; lengths are cut, not refused. */
import { z } from 'zod';
import type { AnalysisAnswer, ScopeAnswer, SynthesisAnswer } from '../../core/scout/answers.ts';

const name = z.string();
const share = z.number();
const named = { file: name, entity: name, reason: z.string() };
const target = z.object(named);
const confident = z.object({ ...named, confidence: share });

export const scopeAnswer: z.ZodType<ScopeAnswer> = z.object({ targets: z.array(target) });

export const analysisAnswer: z.ZodType<AnalysisAnswer> = z.object({
  role: z.string(),
  locations: z.array(confident),
  insights: z.array(z.string()),
  alternatives: z.array(z.string()),
  relevance: share,
});

export const synthesisAnswer: z.ZodType<SynthesisAnswer> = z.object({
  title: z.string(),
  description: z.array(z.object({ text: z.string(), source: z.string() })),
  reproduction: z.array(z.object({ text: z.string(), code: z.string() })),
  expected: z.array(z.string()),
  files: z.array(target),
  entities: z.array(target),
  locations: z.array(confident),
  hints: z.array(z.object({ text: z.string(), code: z.string(), source: z.string() })),
});
