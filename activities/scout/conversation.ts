/**
 * @file A question to a model until its answer can be used: the first answer, and at most two more for a complaint each.
 *
 * One attempt of an activity makes at most one call. An answer that cannot be used ends the attempt with a retryable failure, and the next one
 * finds it in the store and sends the complaint: so repairs wait for their turn on the queue as every call does, show in the history with
 * their reason, and a killed worker repeats none of them.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { z } from 'zod';
import { callCeilings, mostRepairs, noUsage, type Stage, sumOfUsage, type Usage } from '../../core/scout/budget.ts';
import { clipped } from '../../core/scout/prompts/fence.ts';
import { type Prompt, repairRequest } from '../../core/scout/prompts/prompt.ts';
import type { ModelChoice } from '../../core/scout/run.ts';
import type { Report } from '../heartbeating.ts';
import type { Ask } from './ask.ts';
import type { CallAnswer, CallMessage, CallRequest, CallStore } from './callStore.ts';
import { Complaint, readAnswer } from './readAnswer.ts';

export interface Question<Answer, Result> {
  readonly stage: Stage;
  readonly model: ModelChoice;
  readonly prompt: Prompt;
  readonly schema: z.ZodType<Answer>;
  /** @throws Complaint where the answer has the form but says nothing usable. */
  readonly accept: (answer: Answer) => Result;
}

export interface Conversation {
  readonly ask: Ask;
  readonly calls: CallStore;
  readonly signal: AbortSignal;
  readonly report: Report;
}

/** Of a rejected answer, when it goes back: the beginning says enough. */
const repeatedTokens = 2000;

/** @throws ApplicationFailure with the usage so far as its details. */
export async function answered<Answer, Result>(
  question: Question<Answer, Result>,
  conversation: Conversation,
): Promise<{ readonly result: Result; readonly usage: Usage }> {
  const messages: CallMessage[] = [{ role: 'user', content: question.prompt.user }];
  let usage = noUsage;
  let asked = false;
  for (let repairs = 0; ; repairs++) {
    const request = requestOf(question, messages);
    const known = await conversation.calls.answerTo(request);
    if (known === undefined && asked) throw withUsage(repairFailure(messages), usage);
    const answer = known ?? (await newAnswer(request, question.schema, usage, conversation));
    asked ||= known === undefined;
    usage = sumOfUsage(usage, answer.usage);
    const complaint = complaintAbout(answer, question);
    if ('result' in complaint) return { result: complaint.result, usage };
    if (repairs === mostRepairs) {
      const message = `no usable answer after ${mostRepairs} repairs: ${complaint.text}`;
      throw withUsage(ApplicationFailure.nonRetryable(message, 'InvalidAnswer'), usage);
    }
    messages.push({ role: 'assistant', content: clipped(answer.text, repeatedTokens).trim() || '(no text)' });
    messages.push({ role: 'user', content: repairRequest(complaint.text) });
  }
}

function requestOf({ stage, model, prompt }: Pick<Question<never, never>, 'stage' | 'model' | 'prompt'>, messages: readonly CallMessage[]): CallRequest {
  const { price: _, ...named } = model;
  return { stage, model: named, system: prompt.system, messages: [...messages], maxOutputTokens: callCeilings[stage].outputTokens };
}

async function newAnswer(request: CallRequest, schema: z.ZodType, usage: Usage, { ask, calls, signal, report }: Conversation): Promise<CallAnswer> {
  try {
    const answer = await ask(request, { schema, signal, report });
    await calls.keep(request, answer);
    return answer;
  } catch (error) {
    throw withUsage(error, usage);
  }
}

function complaintAbout<Answer, Result>(answer: CallAnswer, question: Question<Answer, Result>): { readonly result: Result } | { readonly text: string } {
  try {
    return { result: question.accept(readAnswer(answer, question.schema)) };
  } catch (error) {
    if (error instanceof Complaint) return { text: error.message };
    throw error;
  }
}

function repairFailure(messages: readonly CallMessage[]): ApplicationFailure {
  const complaint = messages.at(-1)?.content.split('\n')[0] ?? '';
  return ApplicationFailure.create({ message: complaint, type: 'AnswerToRepair', nextRetryDelay: '100ms' });
}

/** What was spent counts also when nothing came of it. */
function withUsage(error: unknown, usage: Usage): unknown {
  if (!(error instanceof ApplicationFailure)) return error;
  const { message, type, nonRetryable, nextRetryDelay } = error;
  return ApplicationFailure.create({
    message,
    nonRetryable: nonRetryable === true,
    details: [usage],
    ...(type && { type }),
    ...(nextRetryDelay && { nextRetryDelay }),
  });
}
