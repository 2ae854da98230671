/** @file Issues with a known fix: what `npm run scout:evaluate` reads, checked line by line before any work starts. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type LocalisationGold, moduleName } from '../../core/scout/localisation.ts';

const instanceLine = z.object({ instance_id: z.string().min(1), repo: z.string().min(1), base_commit: z.string().min(1), problem_statement: z.string() });
const goldLine = z.object({
  instance_id: z.string().min(1),
  files: z.array(z.string()).min(1),
  functions: z.array(z.string()).default([]),
  modules: z.array(z.string()).optional(),
  in_locagent_274: z.boolean().optional(),
});

export interface LocalisationInstance {
  readonly id: string;
  readonly repo: string;
  readonly commit: string;
  readonly issue: string;
  readonly gold: LocalisationGold;
  /** Of those that LocAgent counts: where the gold says so, else where it names a function. */
  readonly counted: boolean;
  /** Constants are tuned on half 0 and checked on half 1: the lowest bit of the first byte of the sha-256 of the instance's id. */
  readonly half: 0 | 1;
}

/** @throws Error naming file and line of what is not as expected. */
export function readInstances(dataFile: string, goldFile: string): LocalisationInstance[] {
  const golds = new Map(readLines(goldFile, goldLine).map((gold) => [gold.instance_id, gold]));
  return readLines(dataFile, instanceLine).map((instance) => {
    const gold = golds.get(instance.instance_id);
    if (!gold) throw new Error(`${goldFile}: expected a line for ${instance.instance_id}, which ${dataFile} has; found none`);
    const modules = gold.modules ?? [...new Set(gold.functions.map(moduleName))];
    return {
      id: instance.instance_id,
      repo: instance.repo,
      commit: instance.base_commit,
      issue: instance.problem_statement,
      gold: { files: gold.files, functions: gold.functions, modules },
      counted: gold.in_locagent_274 ?? gold.functions.length > 0,
      half: halfOf(instance.instance_id),
    };
  });
}

function halfOf(id: string): 0 | 1 {
  return ((createHash('sha256').update(id).digest()[0] as number) % 2) as 0 | 1;
}

function readLines<Line>(file: string, schema: z.ZodType<Line>): Line[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const parsed = schema.safeParse(jsonOf(line));
    if (parsed.success) return [parsed.data];
    const issue = parsed.error.issues[0];
    throw new Error(`${file}:${index + 1}: ${issue?.path.join('.') || 'line'}: ${issue?.message ?? 'expected a JSON object'}`);
  });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
