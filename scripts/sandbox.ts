/**
 * @file Runs code in a sandbox, from the command line or a list of operations, and prints one result a line. Code that fails is a result; exit code 1 means that an operation itself failed.
 * @example npm run sandbox -- --code 'print(6 * 7)'
 * @example npm run sandbox -- operations.jsonl --backend docker
 * @example npm run sandbox -- --build
 */
import { readFileSync } from 'node:fs';
import { SandboxOperations } from '../workers/sandboxOperations.ts';
import { commandNamed, runCommand, say } from './runs/command.ts';

const program = commandNamed('sandbox')
  .description(
    'Operations, one JSON object a line: {"op":"run","code":"…","stdin":"…","limits":{"wallMs":…,"cpuMs":…,"memoryMiB":…,"outputBytes":…},"backend":"docker"}, {"op":"open","sandbox":"a","setup":"…"}, {"op":"execute","sandbox":"a","code":"…"}, {"op":"close","sandbox":"a"}, {"op":"judge","code":"…","cases":[{"stdin":"…","stdout":"…"}],"entry":"…"}.',
  )
  .argument('[file]', 'operations, one JSON object a line (- reads them from stdin)')
  .option('--code <python>', 'run this one program')
  .option('--stdin <text>', 'what it reads', '')
  .option('--backend <name>', 'auto, docker or embedded, for operations that name none', process.env['TURNWISE_SANDBOX'] || 'auto')
  .option('--build', 'make the image of the Docker sandbox and print its tag')
  .parse();

const options = program.opts<{ code?: string; stdin: string; backend: string; build?: boolean }>();
const [file] = program.args;

await runCommand(async () => {
  const operations = new SandboxOperations(options.backend);
  let failed = 0;
  try {
    if (options.build) say(await operations.build());
    for (const line of linesOf()) {
      const result = await operations.perform(line);
      say(JSON.stringify(result));
      if ('error' in result) failed += 1;
    }
  } finally {
    await operations.close();
  }
  return failed === 0 ? 0 : 1;
});

function linesOf(): string[] {
  if (options.code !== undefined) return [JSON.stringify({ op: 'run', code: options.code, stdin: options.stdin })];
  if (file === undefined) {
    if (options.build) return [];
    throw new Error("expected a file of operations or --code: for example `npm run sandbox -- --code 'print(1)'`");
  }
  const text = readFileSync(file === '-' ? 0 : file, 'utf8');
  return text.split('\n').filter((line) => line.trim() !== '');
}
