/** @file What a person gives to `npm run scout`, checked before anything starts. */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ModelChoice, TokenPrice } from '../../core/scout/run.ts';
import type { RepositorySource } from '../../core/scout/types.ts';
import { keyOf, modelChoice } from '../../workers/scouts.ts';
import { livingRecord } from '../../workers/supervisor/processRecords.ts';

export interface ScoutOptions {
  readonly repo: string;
  readonly commit?: string;
  readonly issue: string;
  readonly model?: string;
  readonly static?: true;
  readonly baseUrl?: string;
  readonly price?: string;
  readonly budgetTokens: number;
  readonly budgetDollars?: number;
  readonly targets: number;
  readonly concurrency: number;
  readonly relevance: number;
  readonly name?: string;
  readonly out?: string;
  readonly json?: true;
}

/** Larger ones are logs, not issues. */
const largestIssueBytes = 1024 * 1024;

/** Null: static. @throws Error that says which option or variable is missing. */
export function chosenModel(options: ScoutOptions): ModelChoice | null {
  if (options.static) return null;
  if (options.model === undefined) {
    throw new Error('expected --model PROVIDER:NAME (such as openai:gpt-5-mini), or --static, which needs no model and no key');
  }
  const choice = modelChoice(options.model, options.baseUrl);
  // The workers of a turnwise that runs already have an environment of their own, and say themselves what they lack.
  if (livingRecord('supervisor') === undefined) keyOf(choice, process.env);
  if (options.price === undefined && options.budgetDollars !== undefined)
    throw new Error('--budget-dollars: expected --price INPUT/OUTPUT beside it, got none');
  return options.price === undefined ? choice : { ...choice, price: priceIn(options.price) };
}

function priceIn(given: string): TokenPrice {
  const match = /^(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/.exec(given);
  if (!match) throw new Error(`--price: expected dollars per million tokens as INPUT/OUTPUT, such as 0.25/2, got ${JSON.stringify(given)}`);
  return { input: Number(match[1]), output: Number(match[2]) };
}

export async function repositoryAt(directory: string, commit: string | undefined): Promise<RepositorySource> {
  const path = resolve(directory);
  if (!existsSync(path)) throw new Error(`--repo: expected a directory, got ${path}, which does not exist`);
  if (!statSync(path).isDirectory()) throw new Error(`--repo: expected a directory, got the file ${path}; name the repository that it is in`);
  return { directory: path, ...(commit !== undefined && { commit }) };
}

/** @throws Error when there is no text in it, too much, or bytes that are no text. */
export async function readIssue(source: string): Promise<string> {
  const name = source === '-' ? 'standard input' : source;
  const statement = source === '-' ? await text(process.stdin) : await readText(source);
  if (statement.trim() === '') throw new Error(`--issue: expected the text of an issue, got nothing in ${name}`);
  const bytes = Buffer.byteLength(statement);
  if (bytes > largestIssueBytes) throw new Error(`--issue: expected at most 1 MiB, got ${(bytes / 2 ** 20).toFixed(1)} MiB in ${name}; cut the logs in it`);
  return statement;
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`--issue: expected a file with the text of an issue, got ${path} (${error.code}); - reads standard input`);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error(`--issue: expected UTF-8 text, got other bytes in ${path}; convert it`);
  }
}
