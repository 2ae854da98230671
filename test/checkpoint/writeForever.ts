/** @file Writes one checkpoint after another, as fast as the disk allows, until it is killed. `node writeForever.ts DIRECTORY` */
import { writeCheckpoint } from '../../activities/checkpoint/writeCheckpoint.ts';
import { sampleCheckpoint } from './sampleCheckpoint.ts';

const directory = process.argv[2] as string;
for (let step = 1; ; step++) {
  await writeCheckpoint(directory, sampleCheckpoint(step, 0, 50_000));
  process.stdout.write(`${step}\n`);
}
