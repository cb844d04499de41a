/** Ambient values, such as a request id, that travel with a task to its handler (AsyncLocalStorage). */
import { AsyncLocalStorage } from 'node:async_hooks';

/** JSON values, by name. */
export type TaskContext = Readonly<Record<string, unknown>>;

const key = Symbol.for('sqs-containers.taskContext');
const holder = globalThis as { [key]?: AsyncLocalStorage<TaskContext> };
holder[key] ??= new AsyncLocalStorage<TaskContext>();
const storage = holder[key];

/** Runs `work` with these values added to the context: the tasks that it sends carry them. */
export function runWithContext<Result>(context: TaskContext, work: () => Result): Result {
  return storage.run({ ...storage.getStore(), ...context }, work);
}

/** Runs `work` with exactly this context. */
export function restoreContext<Result>(context: TaskContext, work: () => Result): Result {
  const isCurrent = storage.getStore() === undefined && Object.keys(context).length === 0;
  return isCurrent ? work() : storage.run(context, work);
}

/** The current context; empty if there is none. */
export function currentContext(): TaskContext {
  return storage.getStore() ?? {};
}
