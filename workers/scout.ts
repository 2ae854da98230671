/** @file The scout worker: indexing, scoping, model calls and reports, on the queue `turnwise-scout`. */
import { turnwiseHome } from '../activities/artifacts/paths.ts';
import { connectWorker } from './config/connection.ts';
import { createScoutWorker } from './scoutWorker.ts';

// Without its supervisor a worker ends at once; answered calls are on disk, and what was in flight is asked again.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const { connection, namespace } = await connectWorker();
const worker = await createScoutWorker({ connection, namespace, home: turnwiseHome(), environment: process.env });
process.send?.({ ready: true });
try {
  await worker.run();
} finally {
  await connection.close();
}
