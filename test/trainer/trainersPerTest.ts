/** @file Trainers that end with the test that made them. */
import { afterEach } from 'vitest';
import { TestedTrainer } from './trainerProcess.ts';

export function trainersPerTest(): (home: string) => TestedTrainer {
  const trainers: TestedTrainer[] = [];
  afterEach(async () => {
    for (const trainer of trainers.splice(0)) await trainer.loaded.close();
  });
  return (home) => {
    const trainer = new TestedTrainer(home);
    trainers.push(trainer);
    return trainer;
  };
}
