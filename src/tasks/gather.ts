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
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Gatherer<Input> {
  readonly #handler: BatchHandler<Input>;
  readonly #size: number;
  readonly #waitMs: number;
  #gathered: Gathered<Input>[] = [];
  #inContext = AsyncLocalStorage.snapshot();
  #timer: NodeJS.Timeout | undefined;

  constructor(handler: BatchHandler<Input>, { size = 10, wait = 1 }: GatherOptions) {
    this.#handler = handler;
    this.#size = size;
    this.#waitMs = wait * 1000;
  }

  /** Resolves when the handler has handled this input with others; rejects if that failed. */
  handle(input: Input, message: Message | undefined): Promise<void> {
    // Whatever completes the batch, its handler runs in the context of the first message.
    if (this.#gathered.length === 0) this.#inContext = AsyncLocalStorage.snapshot();
    return new Promise((resolve, reject) => {
      this.#gathered.push({ input, message, resolve, reject });
      if (this.#gathered.length >= this.#size) void this.#run();
      else this.#timer ??= setTimeout(() => void this.#run(), this.#waitMs);
    });
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#gathered;
    this.#gathered = [];
    try {
      const inputs = batch.map(({ input }) => input);
      const messages = batch.flatMap(({ message = [] }) => message);
      const failures = await this.#inContext(this.#handler, inputs, messages);
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
