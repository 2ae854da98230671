/**
 * @file Answers OpenAI's chat completions with a policy, so that ordinary clients can use it.
 * @example npm run serve -- quickstart-1123-141503
 * @example npm run serve -- ./my-model --port 8000 --host 0.0.0.0 --api-key-env MY_KEY
 */

import { Option } from 'commander';
import { type WeightPrecision, weightPrecisions } from '../core/model/quantisation.ts';
import { startServing } from '../workers/serving.ts';
import { listenForInterruption } from '../workers/supervisor/interruption.ts';
import { commandNamed, exitCodes, runCommand, say } from './runs/command.ts';
import { portNumber } from './runs/options.ts';

const program = commandNamed('serve')
  .description('Serve a policy with the protocol of OpenAI’s chat completions: streams, log-probabilities, stop texts, seeds. Ctrl-C lets answers finish.')
  .argument('<policy>', 'name of a run, the directory of a checkpoint, of a Hugging Face model or of an adapter, or hub:org/name')
  .option('--checkpoint <name>', 'of a run, such as global_step_12 (default: the newest)')
  .option('--port <n>', '0: any that is free', portNumber, 8000)
  .option('--host <address>', 'where to listen; others than this machine reach it only if you say so', '127.0.0.1')
  .option('--api-key-env <name>', 'environment variable that holds the key that clients must send')
  .addOption(new Option('--weights <precision>', 'fewer bits are quicker and answer a little differently').choices(weightPrecisions).default('float32'))
  .parse();

const [subject = ''] = program.args;
const { checkpoint, port, host, apiKeyEnv, weights } = program.opts<{
  checkpoint?: string;
  port: number;
  host: string;
  apiKeyEnv?: string;
  weights: WeightPrecision;
}>();

await runCommand(async () => {
  const apiKey = keyFrom(apiKeyEnv);
  const interruption = listenForInterruption(() => undefined);
  try {
    const report = ({ stack, message }: Error) => process.stderr.write(`turnwise: ${stack ?? message}\n`);
    const serving = await startServing(subject, checkpoint, weights, { host, port, apiKey, report, tell: say });
    const { policy, maxPositions, url } = serving;
    say(
      `${policy.name}${policy.checkpoint ? ` (${policy.checkpoint})` : ''}, context ${maxPositions} tokens, weights ${weights}, as model ${JSON.stringify(policy.name)} at ${url}`,
    );
    if (!isLoopback(host)) say(openWarning(apiKey !== undefined));
    say(`try it: curl ${url}/chat/completions -H 'content-type: application/json' -d '${exampleBody(policy.name)}'`);
    await new Promise<void>((resolve) => {
      if (interruption.signal.aborted) resolve();
      interruption.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    say('stopping: answers in flight may finish; again to stop at once …');
    await serving.close();
    return exitCodes.done;
  } finally {
    interruption.dispose();
  }
});

function keyFrom(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const key = process.env[name];
  if (!key) throw new Error(`--api-key-env ${name}: expected the key in the environment variable ${name}, got nothing there`);
  return key;
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || address.startsWith('127.');
}

function openWarning(hasKey: boolean): string {
  const reach = `!!! listening on ${host}: every machine that reaches this address can use the policy`;
  return hasKey ? `${reach} with the key; it travels unencrypted` : `${reach}, WITHOUT A KEY; --api-key-env asks for one`;
}

function exampleBody(model: string): string {
  return JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] });
}
