/** @file A process that fetches a model and can be killed: `node fetchModel.ts hub:org/name`. */
import { modelDirectoryOf } from '../../../activities/checkpoint/modelSource.ts';

process.stdout.write(`${await modelDirectoryOf(process.argv[2] as string)}\n`);
