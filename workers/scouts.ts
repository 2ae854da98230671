/** @file What commands need of scouting: which model is meant, whether its key is there, where the records of a scout lie. */
export { writeFileAtomic } from '../activities/artifacts/atomicWrite.ts';
export { keyOf, modelChoice } from '../activities/scout/models.ts';
export { type ScoutPaths, scoutPaths } from '../activities/scout/paths.ts';
