/** @file A process whose only thing is a server: prints [server pid, guard pid] and waits to be killed. */
import { startDevServer } from '../../workers/temporal/devServer.ts';

const server = await startDevServer({ dbFile: process.argv[2] ?? '', uiPort: null });
process.stdout.write(JSON.stringify([server.pid, server.guardPid]));
await server.ended;
