/**
 * @file Serving figures: tokens a second of concurrent streamed chats over HTTP, as a share of what the decoder alone samples for the same
 * contexts, and the time to a chat's first token. Preset S, whose text is noise. Traps: other work on the cores (the two sides alternate), and prompts
 * that were answered before (every round has its own).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePolicyDirectory } from '../activities/checkpoint/policyDirectory.ts';
import { Decoder } from '../activities/policy/decoding/decoder.ts';
import { intraOpThreads } from '../activities/policy/ort/session.ts';
import { ChatServer } from '../activities/serving/chatServer.ts';
import { openServedPolicy, type ServedPolicy } from '../activities/serving/servedPolicy.ts';
import { initialPolicy } from '../activities/trainer/initialPolicy.ts';
import { loadRunConfig } from '../workers/config/runConfig.ts';
import type { Figure } from './figure.ts';

const chats = 16;
const answerTokens = 128;
const rounds = 3;

export async function servingFigures(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'turnwise-bench-serving-'));
  const decoder = new Decoder();
  const measured = { served: [] as number[], shares: [] as number[], firstMs: [] as number[] };
  try {
    const { weights, files } = await initialPolicy(
      loadRunConfig('examples/quickstart.yaml', ['policy.preset=S', 'policy.vocabulary=bytes', 'policy.contextLength=1024']),
    );
    await writePolicyDirectory(directory, { weights, files, card: '' });
    const policy = await openServedPolicy('bench', { key: 'bench', path: directory }, decoder);
    const server = new ChatServer(policy, { host: '127.0.0.1', port: 0 });
    const url = await server.listen();
    for (let round = 0; round <= rounds; round++) {
      const alone = await decodedAlone(policy, round);
      const { tokensPerSecond, firstMs } = await chatted(url, round);
      // Round 0 warms both up.
      if (round === 0) continue;
      measured.served.push(tokensPerSecond);
      measured.shares.push(tokensPerSecond / alone);
      measured.firstMs.push(firstMs);
    }
    await server.close(0);
  } finally {
    await decoder.close();
    await rm(directory, { recursive: true, force: true });
  }
  const how = `${rounds} rounds of ${chats} concurrent streamed chats of up to ${answerTokens} tokens over loopback, preset S, ${intraOpThreads()} threads, medians`;
  return [
    figure('serving.tokensPerSecond', measured.served, 'tokens/s', how),
    figure('serving.shareOfDecoder', measured.shares, '×', `${how}; alternating with the decoder alone`),
    figure('serving.firstTokenMs', measured.firstMs, 'ms', `${how}; median over the chats of a round`),
  ];
}

const question = (round: number, chat: number) => `Round ${String(round).padStart(3, '0')}, chat ${chat}: what do you say to that?`;

async function decodedAlone({ directory, tokenizer, decoder }: ServedPolicy, round: number): Promise<number> {
  const start = performance.now();
  const generations = await Promise.all(
    Array.from({ length: chats }, (_, chat) => {
      const context = tokenizer.encodePrompt([{ role: 'user', content: question(round + 100, chat) }]);
      const rule = { temperature: 1, topK: 0, topP: 1 };
      return decoder.generate(directory, { context, seed: chat, rule, maxTokens: answerTokens, endTokens: [...tokenizer.endOfTurnIds] });
    }),
  );
  const tokens = generations.reduce((sum, generation) => sum + generation.tokens.length, 0);
  return (tokens * 1000) / (performance.now() - start);
}

async function chatted(url: string, round: number): Promise<{ tokensPerSecond: number; firstMs: number }> {
  const start = performance.now();
  const answers = await Promise.all(Array.from({ length: chats }, (_, chat) => streamed(url, round, chat)));
  const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0);
  return { tokensPerSecond: (tokens * 1000) / (performance.now() - start), firstMs: median(answers.map((answer) => answer.firstMs)) };
}

/** One streamed chat: how many tokens it had, and when the first piece came. */
async function streamed(url: string, round: number, chat: number): Promise<{ tokens: number; firstMs: number }> {
  const start = performance.now();
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'bench',
      messages: [{ role: 'user', content: question(round, chat) }],
      max_completion_tokens: answerTokens,
      seed: chat,
      logprobs: true,
      stream: true,
      stream_options: { include_usage: true },
    }),
  });
  if (!response.ok || response.body === null) throw new Error(`bench/serving.ts: expected a stream, got ${response.status} ${await response.text()}`);
  let [firstMs, text] = [Number.NaN, ''];
  for await (const bytes of response.body.pipeThrough(new TextDecoderStream())) {
    text += bytes;
    if (Number.isNaN(firstMs) && text.includes('"logprobs":{')) firstMs = performance.now() - start;
  }
  const usage = /"completion_tokens":(\d+)/.exec(text)?.[1];
  if (usage === undefined || Number.isNaN(firstMs)) throw new Error('bench/serving.ts: expected a first token and the usage in the stream, got neither or one');
  return { tokens: Number(usage), firstMs };
}

function figure(name: string, values: readonly number[], unit: string, how: string): Figure {
  return { name, value: median(values), unit, bar: null, pass: null, spread: [Math.min(...values), Math.max(...values)], how };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
