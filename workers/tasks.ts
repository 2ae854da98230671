/** @file What commands check of a run's tasks, chats and context before they start it. */
export { validateTasks } from '../activities/tasks/validateTasks.ts';
export { validateChats } from '../activities/trainer/validateChats.ts';
export { validateContext } from '../activities/trainer/validateContext.ts';
