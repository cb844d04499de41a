/** Collects messages for one task into batches: up to a size, or those that arrive within a time. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Message } from '../brokers/broker.ts';

export interface GatherOptions {
  /** The maximum number of inputs per call. Default 10. */
  readonly size?: number;
  /** How long the first input waits for others, in seconds. Default 1. */
  readonly wait?: number;
}

/** Which inputs failed: by index, or, as in Lambda's partial batch responses, by message id. */
export type BatchFailures =
  | { readonly failed: readonly number[] }
  | { readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] };

/**
 * Handles many inputs. If it throws, all of them fail; if it returns failures, only those fail. The context and
 * `currentMessage()` are those of the first input. Inputs from `run` have no message.
 */
export type BatchHandler<Input> = (
  inputs: readonly Input[],
  messages: readonly Message[],
) => void | BatchFailures | Promise<void> | Promise<BatchFailures | undefined>;

/** The batch handler reported this input as failed. */
export class BatchEntryError extends Error {
  override readonly name = 'BatchEntryError';
}

interface Gathered<Input> {
  readonly input: Input;
  readonly message: Message | undefined;
  /** Runs the handler in the context of this message. */
  readonly inContext: ReturnType<typeof AsyncLocalStorage.snapshot>;
  /** Called when the batch is complete: from then on, no input can leave it. */
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
   * Resolves when the handler has handled the batch with this input; rejects if it failed. If `signal` aborts while the
   * input is waiting for others, it is not handled, and this rejects with the signal's reason.
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
          entry.reject(new BatchEntryError('The handler reported this input as failed.'));
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
