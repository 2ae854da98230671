/** @file The providers of models: which variable holds the key, and how the AI SDK reaches them. Their own retries are never used: Temporal retries. */
import type { LanguageModel } from 'ai';
import { type ModelChoice, type ModelProvider, modelProviders } from '../../core/scout/run.ts';

export interface Provider {
  /** Names of the variable that may hold the key, the usual one first. */
  readonly keys: readonly string[];
  readonly needsKey: boolean;
  /** The provider constrains answers to a JSON schema. Servers of one's own differ too much: there the prompt asks, and the answer is validated. */
  readonly structured: boolean;
  /** An example of a name. */
  readonly example: string;
  /** Imported when it is first used: a worker that only indexes loads none. */
  readonly connect: (choice: ModelChoice, key: string | undefined) => Promise<LanguageModel>;
}

export const providers: { readonly [Name in ModelProvider]: Provider } = {
  openai: {
    keys: ['OPENAI_API_KEY'],
    needsKey: true,
    structured: true,
    example: 'openai:gpt-5-mini',
    connect: async ({ name }, apiKey) => (await import('@ai-sdk/openai')).createOpenAI({ ...(apiKey && { apiKey }) })(name),
  },
  anthropic: {
    keys: ['ANTHROPIC_API_KEY'],
    needsKey: true,
    structured: true,
    example: 'anthropic:claude-sonnet-4-5',
    connect: async ({ name }, apiKey) => (await import('@ai-sdk/anthropic')).createAnthropic({ ...(apiKey && { apiKey }) })(name),
  },
  google: {
    keys: ['GOOGLE_GENERATIVE_AI_API_KEY', 'GEMINI_API_KEY'],
    needsKey: true,
    structured: true,
    example: 'google:gemini-2.5-flash',
    connect: async ({ name }, apiKey) => (await import('@ai-sdk/google')).createGoogleGenerativeAI({ ...(apiKey && { apiKey }) })(name),
  },
  compatible: {
    keys: ['OPENAI_COMPATIBLE_API_KEY'],
    needsKey: false,
    structured: false,
    example: 'compatible:qwen3-coder',
    connect: async ({ name, baseUrl }, apiKey) => {
      if (baseUrl === undefined) throw new Error('model provider compatible: expected the address of the server; --base-url http://127.0.0.1:8080/v1');
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      return createOpenAICompatible({ name: 'compatible', baseURL: baseUrl, includeUsage: true, ...(apiKey && { apiKey }) })(name);
    },
  },
};

/** `openai:gpt-5-mini`; a name may contain colons (`compatible:qwen3:8b`). @throws Error that lists the providers. */
export function modelChoice(text: string, baseUrl?: string): ModelChoice {
  const at = text.indexOf(':');
  const [provider, name] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1).trim()];
  if (!isProvider(provider)) {
    const examples = modelProviders.map((known) => providers[known].example).join(', ');
    throw new Error(`--model: expected PROVIDER:NAME with a provider of ${modelProviders.join(', ')} (${examples}), got ${JSON.stringify(text)}`);
  }
  if (name === '') throw new Error(`--model: expected the name of a model after ${provider}: (such as ${providers[provider].example}), got nothing`);
  if (provider === 'compatible' && baseUrl === undefined)
    throw new Error('--model compatible:…: expected the address of the server too: --base-url http://127.0.0.1:8080/v1');
  if (provider !== 'compatible' && baseUrl !== undefined)
    throw new Error(`--base-url: only for --model compatible:NAME, got ${provider}; remove it, or use compatible`);
  return { provider, name, ...(baseUrl !== undefined && { baseUrl: checkedUrl(baseUrl) }) };
}

function isProvider(text: string): text is ModelProvider {
  return (modelProviders as readonly string[]).includes(text);
}

function checkedUrl(text: string): string {
  const protocol = URL.canParse(text) ? new URL(text).protocol : '';
  if (protocol === 'http:' || protocol === 'https:') return text.replace(/\/+$/, '');
  throw new Error(`--base-url: expected an address such as http://127.0.0.1:8080/v1, got ${JSON.stringify(text)}`);
}

/** @throws Error that names the variable to set, when a key is needed and there is none. */
export function keyOf({ provider }: Pick<ModelChoice, 'provider'>, environment: NodeJS.ProcessEnv): string | undefined {
  const { keys, needsKey } = providers[provider];
  const key = keys.map((name) => environment[name]).find((value) => value !== undefined && value.trim() !== '');
  if (key === undefined && needsKey) {
    throw new Error(
      `model provider ${provider}: expected a key in ${keys.join(' or ')}, found none; set it where turnwise runs, or use --static, which needs no model`,
    );
  }
  return key;
}
