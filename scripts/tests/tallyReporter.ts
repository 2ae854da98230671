/** @file A vitest reporter that leaves the tally of a run in the file named by TURNWISE_TALLY; the usual output goes on beside it. */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export interface Skip {
  readonly name: string;
  readonly reason: string;
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skip[];
}

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const states = tests.map((test) => test.result().state);
    const brokenModules = modules.filter((module) => module.errors().length > 0).length;
    const tally: Tally = {
      passed: states.filter((state) => state === 'passed').length,
      failed: states.filter((state) => state === 'failed' || state === 'pending').length + brokenModules + unhandled.length,
      skipped: tests.flatMap((test) => {
        const result = test.result();
        return result.state === 'skipped' ? [{ name: `${test.module.relativeModuleId}: ${test.fullName}`, reason: result.note ?? test.fullName }] : [];
      }),
    };
    const path = process.env['TURNWISE_TALLY'];
    if (path) writeFileSync(path, JSON.stringify(tally));
  }
}
