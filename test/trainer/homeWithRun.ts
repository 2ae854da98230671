/** @file A home with a run that is prepared and has trained nothing yet; gone after the tests of the file. */
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { TestedTrainer, testedConfig } from './trainerProcess.ts';

/** The run is `run` of trainerProcess.ts. */
export async function homeWithRun(name: string): Promise<string> {
  const home = await temporaryDirectory(name);
  const trainer = new TestedTrainer(home);
  await trainer.prepareRun(testedConfig());
  await trainer.loaded.close();
  return home;
}
