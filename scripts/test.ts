/**
 * @file Runs every test: lint, types, unit, golden, replay, integration against a real server. The last line is `N passed, N failed`.
 * @example npm test
 * @example npm test -- unit golden
 */
import { findServerBinary } from '../workers/temporal/binary.ts';
import { clock } from './display/duration.ts';
import { commandNamed, runCommand, say } from './runs/command.ts';
import { couldHaveRun } from './tests/capabilities.ts';
import { type GroupName, groupNames, runGroup } from './tests/groups.ts';
import type { Skip } from './tests/tallyReporter.ts';

const program = commandNamed('test')
  .description('Run the tests. With CI=true a skipped test that this machine could have run counts as failed.')
  .argument('[groups...]', `which of ${groupNames.join(', ')} (default: all)`)
  .parse();

await runCommand(async () => {
  const groups = program.args.length > 0 ? program.args.map(groupOf) : groupNames;
  if (groups.includes('integration')) await haveServer();
  let [passed, failed] = [0, 0];
  const skipped: Skip[] = [];
  const times: string[] = [];
  for (const name of groups) {
    say(`\n── ${name}`);
    const startedAt = Date.now();
    const tally = await runGroup(name);
    passed += tally.passed;
    failed += tally.failed;
    skipped.push(...tally.skipped);
    const counts = `${tally.passed} passed, ${tally.failed} failed${tally.skipped.length > 0 ? `, ${tally.skipped.length} skipped` : ''}`;
    times.push(`  ${name.padEnd(12)} ${clock((Date.now() - startedAt) / 1000).padStart(6)}   ${counts}`);
  }
  say(`\n${times.join('\n')}`);
  const wrongly = reportSkips(skipped);
  say(`${passed} passed, ${failed + wrongly} failed`);
  return failed + wrongly === 0 ? 0 : 1;
});

/** Answers with how many skips count as failures. */
function reportSkips(skipped: readonly Skip[]): number {
  const strict = process.env['CI'] === 'true';
  const marked = skipped.map((skip) => ({ ...skip, wrong: strict && couldHaveRun(skip.reason) }));
  for (const { name, reason, wrong } of marked)
    say(`  skipped ${name}${name.includes(reason) ? '' : `: ${reason}`}${wrong ? ' — FAILED: this machine could have run it' : ''}`);
  return marked.filter(({ wrong }) => wrong).length;
}

/** Before the clock of the tests starts: the binary may have to be downloaded or built. */
async function haveServer(): Promise<void> {
  if (process.env['TEMPORAL_ADDRESS']) return;
  const { path, serverVersion, source } = await findServerBinary(say);
  say(`Temporal server ${serverVersion} (${source}: ${path})`);
}

function groupOf(name: string): GroupName {
  const group = groupNames.find((known) => known === name);
  if (!group) throw new Error(`expected groups among ${groupNames.join(', ')}, got ${name}`);
  return group;
}
