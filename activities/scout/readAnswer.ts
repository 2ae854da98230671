/** @file From the text of an answer to its value, or to a complaint that the model can act on. */
import type { z } from 'zod';
import type { CallAnswer } from './callStore.ts';

/** What is wrong with an answer, told to the model and, at last, to people. */
export class Complaint extends Error {
  override readonly name = 'Complaint';
}

const complaintsShown = 5;

/** @throws Complaint */
export function readAnswer<Answer>({ text, finishReason, toolNames }: CallAnswer, schema: z.ZodType<Answer>): Answer {
  if (toolNames.length > 0 && text.trim() === '')
    throw new Complaint(`expected one JSON object as text, got a call of the tool ${toolNames[0]}; there are no tools`);
  if (finishReason === 'length')
    throw new Complaint(`expected a complete JSON object, got one that was cut off after ${text.length} characters; answer more briefly`);
  if (finishReason === 'content-filter') throw new Complaint('the answer was stopped by a content filter; answer about the code alone');
  const parsed = schema.safeParse(jsonIn(text));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the object'}: ${message}`);
  const more = lines.length > complaintsShown ? `; and ${lines.length - complaintsShown} more` : '';
  throw new Complaint(`expected the keys that were asked for: ${lines.slice(0, complaintsShown).join('; ')}${more}`);
}

/** Models put thoughts before it, or fences around it. */
function jsonIn(text: string): unknown {
  const spoken = text.replace(/^[\s\S]*<\/think>/, '');
  const [first, last] = [spoken.indexOf('{'), spoken.lastIndexOf('}')];
  if (first < 0 || last < first) throw new Complaint(`expected one JSON object, got ${excerptOf(spoken)}`);
  try {
    return JSON.parse(spoken.slice(first, last + 1));
  } catch (error) {
    throw new Complaint(`expected one JSON object, got text that does not parse: ${(error as Error).message}`);
  }
}

function excerptOf(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  if (flat === '') return 'nothing';
  return JSON.stringify(flat.length <= 60 ? flat : `${flat.slice(0, 57)}…`);
}
