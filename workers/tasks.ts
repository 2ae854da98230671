/** @file What commands check of a run's tasks and chats before they start it. */
export { validateTasks } from '../activities/tasks/validateTasks.ts';
export { validateChats } from '../activities/trainer/validateChats.ts';
