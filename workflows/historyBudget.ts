/** @file How many events a history may hold. Temporal suggests a new one at 4,096; a longer one cannot be replayed within a workflow task. */

/** Two activities a turn, three events each, and at worst a workflow task of three for each of them. */
export const eventsPerTurn = 12;

/** Rollouts share a history while all their turns stay below this. */
export const groupHistoryEvents = 3000;
