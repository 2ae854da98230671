/**
 * @file Checks everything that turnwise needs; each line that fails says what to do.
 * @example npm run doctor
 * @example npm run doctor -- examples/search.yaml --json doctor.json
 */
import { writeFileSync } from 'node:fs';
import { type Check, configCheck, machineChecks } from './doctor/machine.ts';
import { temporalChecks } from './doctor/temporal.ts';
import { commandNamed, runCommand, say } from './runs/command.ts';

const program = commandNamed('doctor')
  .description('Check Node, the Temporal server, sandbox, onnxruntime, disk, memory and configuration. Exit code 1 when something fails.')
  .argument('[config]', 'run configuration to check too', 'examples/quickstart.yaml')
  .option('--json <file>', 'write the checks there')
  .parse();

const marks = { ok: '✓', warning: '!', failed: '✗' } as const;

await runCommand(async () => {
  const checks: Check[] = [...(await machineChecks()), ...(await temporalChecks()), await configCheck(program.processedArgs[0] as string)];
  for (const { state, name, found, remedy } of checks) say(`${marks[state]} ${name.padEnd(20)} ${found}${remedy ? `\n  → ${remedy}` : ''}`);
  const { json } = program.opts<{ json?: string }>();
  if (json) writeFileSync(json, `${JSON.stringify(checks, null, 2)}\n`);
  const failed = checks.filter(({ state }) => state === 'failed').length;
  say(failed === 0 ? 'everything needed is there' : `${failed} of ${checks.length} checks failed`);
  return failed === 0 ? 0 : 1;
});
