/** Gathers messages of one task, so that its handler gets many at once: up to a size, or what has come within a time. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Message } from '../brokers/broker.ts';

export interface GatherOptions {
  /** The most inputs of a call. Default 10. */
  readonly size?: number;
  /** How long the first input waits for others, in seconds. Default 1. */
  readonly wait?: number;
}

/** Which inputs failed: by their place, or, as in Lambda's partial batch responses, by the id of their message. */
export type BatchFailures =
  | { readonly failed: readonly number[] }
  | { readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] };

/**
 * Handles many inputs. Throwing fails them all; returning failures fails those. The context, and `currentMessage()`, are
 * those of the first. Inputs that are run here have no message.
 */
export type BatchHandler<Input> = (
  inputs: readonly Input[],
  messages: readonly Message[],
) => void | BatchFailures | Promise<void> | Promise<BatchFailures | undefined>;

/** An input that its batch handler named as failed. */
export class BatchEntryError extends Error {
  override readonly name = 'BatchEntryError';
}

interface Gathered<Input> {
  readonly input: Input;
  readonly message: Message | undefined;
  /** Runs the handler in the context of this message. */
  readonly inContext: ReturnType<typeof AsyncLocalStorage.snapshot>;
  /** Called when the batch is complete: from then on nobody leaves it. */
  readonly taken: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Gatherer<Input> {
  readonly #handler: BatchHandler<Input>;
  readonly #size: number;
  readonly #waitMs: number;
  #gathered: Gathered<Input>[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(handler: BatchHandler<Input>, { size = 10, wait = 1 }: GatherOptions) {
    this.#handler = handler;
    this.#size = size;
    this.#waitMs = wait * 1000;
  }

  /**
   * Resolves when the handler has handled this input with others; rejects if that failed. When `signal` aborts while the
   * input waits for others, it is not handled, and the signal's reason is thrown.
   */
  handle(input: Input, message: Message | undefined, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const leave = () => {
        this.#gathered = this.#gathered.filter((other) => other !== entry);
        reject(signal?.reason as Error);
      };
      const taken = () => signal?.removeEventListener('abort', leave);
      const entry = { input, message, inContext: AsyncLocalStorage.snapshot(), taken, resolve, reject };
      signal?.addEventListener('abort', leave);
      this.#gathered.push(entry);
      if (this.#gathered.length >= this.#size) void this.#run();
      else this.#timer ??= setTimeout(() => void this.#run(), this.#waitMs);
    });
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#gathered;
    this.#gathered = [];
    const [first] = batch;
    if (!first) return;
    for (const { taken } of batch) taken();
    try {
      const inputs = batch.map(({ input }) => input);
      const messages = batch.flatMap(({ message = [] }) => message);
      const failures = await first.inContext(this.#handler, inputs, messages);
      for (const [index, entry] of batch.entries()) {
        if (failures && hasFailed(failures, index, entry.message?.id))
          entry.reject(new BatchEntryError('The handler named this input as failed.'));
        else entry.resolve();
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

function hasFailed(failures: BatchFailures, index: number, messageId: string | undefined): boolean {
  if ('failed' in failures) return failures.failed.includes(index);
  return failures.batchItemFailures.some(({ itemIdentifier }) => itemIdentifier === messageId);
}
