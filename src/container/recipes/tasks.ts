import { classifierTask } from './classifier/task';
import { ditTask } from './dit/task';
import type { Task } from './task';

/** Every task by its name: what a worker thread can build. */
const tasks: ReadonlyMap<string, Task> = new Map([classifierTask, ditTask].map((task) => [task.name, task]));

/** @throws Error if there is no task of that name */
export function findTask(name: string): Task {
  const task = tasks.get(name);
  if (task === undefined) {
    throw new Error(`there is no task "${name}"`);
  }
  return task;
}
