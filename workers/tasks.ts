/** @file What commands check of a run's tasks before they start it. */
export { validateTasks } from '../activities/tasks/validateTasks.ts';
