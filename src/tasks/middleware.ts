/** Functions wrapped around every handler: for timing, transactions, tenants (sqs-workers' processors). */
import type { Message } from '../brokers/broker.ts';

/** A call of a handler. */
export interface Invocation {
  readonly task: string;
  readonly queue: string;
  readonly input: unknown;
  /** The message; undefined for `run`, which needs none. */
  readonly message: Message | undefined;
}

/** Calls `next` to go on; what it throws is the handler's error, and what it throws itself counts as that. */
export type Middleware = (invocation: Invocation, next: () => Promise<void>) => void | Promise<void>;

/** Runs `handler` with the middlewares around it, the first one outermost. */
export function wrap(
  middlewares: readonly Middleware[],
  invocation: Invocation,
  handler: () => Promise<void>,
): Promise<void> {
  return middlewares.reduceRight<() => Promise<void>>(
    (next, middleware) => async () => middleware(invocation, next),
    handler,
  )();
}
