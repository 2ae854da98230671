/** @file A process that records steps until it is killed: each step of metrics and events from the first on, as a workflow would after a restart. */
import { createRecordStep } from '../../activities/recordStep.ts';
import { asActivity } from './syntheticRun.ts';

const [home = '', firstStep = '1'] = process.argv.slice(2);
const recordStep = asActivity(createRecordStep({ home }));
for (let step = Number(firstStep); ; step++) {
  await recordStep({ run: 'synthetic', kind: 'step', step, policyVersion: step, metrics: { 'reward/mean': step, filler: Math.PI } });
  process.stdout.write(`${step}\n`);
}
