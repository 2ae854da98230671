/** @file What a person may give as a model, and what is said when it is wrong or its key is missing. */
import { describe, expect, test } from 'vitest';
import { keyOf, modelChoice, providers } from '../../activities/scout/models.ts';
import { modelProviders } from '../../core/scout/run.ts';

test.each([
  ['openai:gpt-5-mini', undefined, { provider: 'openai', name: 'gpt-5-mini' }],
  ['anthropic:claude-sonnet-4-5', undefined, { provider: 'anthropic', name: 'claude-sonnet-4-5' }],
  ['compatible:qwen3:8b', 'http://127.0.0.1:11434/v1/', { provider: 'compatible', name: 'qwen3:8b', baseUrl: 'http://127.0.0.1:11434/v1' }],
])('%s', (text, baseUrl, choice) => {
  expect(modelChoice(text, baseUrl)).toEqual(choice);
});

test.each([
  ['gpt-5-mini', undefined, /expected PROVIDER:NAME with a provider of openai, anthropic, google, compatible .* got "gpt-5-mini"/],
  ['mistral:large', undefined, /got "mistral:large"/],
  ['openai:', undefined, /expected the name of a model after openai:/],
  ['compatible:qwen3', undefined, /--base-url http/],
  ['openai:gpt-5-mini', 'http://127.0.0.1:1/v1', /only for --model compatible/],
  ['compatible:qwen3', 'localhost', /expected an address such as/],
  ['compatible:qwen3', 'file:///etc/passwd', /expected an address such as/],
])('%s with %s is refused', (text, baseUrl, message) => {
  expect(() => modelChoice(text, baseUrl)).toThrow(message);
});

describe('keys', () => {
  test.each(modelProviders.filter((provider) => providers[provider].needsKey))('%s needs one, and the message names where', (provider) => {
    for (const name of providers[provider].keys) expect(keyOf({ provider }, { [name]: 'key' })).toBe('key');
    expect(() => keyOf({ provider }, { [providers[provider].keys[0] ?? '']: ' ' })).toThrow(
      new RegExp(`expected a key in ${providers[provider].keys.join(' or ')}`),
    );
  });

  test('a server of one’s own needs none', () => {
    expect(keyOf({ provider: 'compatible' }, {})).toBeUndefined();
    expect(keyOf({ provider: 'compatible' }, { OPENAI_COMPATIBLE_API_KEY: 'key' })).toBe('key');
  });
});

test.each(modelProviders)('the SDK of %s makes a model of that name, without a request', async (provider) => {
  const model = await providers[provider].connect({ provider, name: 'some-model', baseUrl: 'http://127.0.0.1:1/v1' }, 'key');
  expect(model).toMatchObject({ modelId: 'some-model' });
});
