/** What a test container shows of its run loop: what became of each message, and when that may be all. */
import type { HeldMessage } from '../consumer/held-message.ts';
import type { ConsumerObserver } from '../consumer/observer.ts';
import { isFailedAttempt } from '../worker/errors.ts';
import type { Outcome } from '../worker/outcome.ts';

/** A message, and what became of it. */
export interface TestedMessage {
  readonly queue: string;
  readonly messageId: string;
  readonly body: string;
  /** How often the message was received, this time included. */
  readonly receiveCount: number;
  /** What its worker threw, or why its body is no call. */
  readonly error?: unknown;
}

export class TestRecord {
  readonly deleted: TestedMessage[] = [];
  readonly kept: TestedMessage[] = [];
  readonly failed: TestedMessage[] = [];
  readonly messagesLog: string[] = [];
  /** What the worker's `afterMessage` threw, which is no message's fault. */
  readonly mistakes: unknown[] = [];
  /** Listens to the run loop. */
  readonly observer: ConsumerObserver;
  readonly #errors = new Map<HeldMessage, unknown>();

  /** `onChange` is called whenever there may be nothing left to do. */
  constructor(onChange: () => void) {
    this.observer = {
      received: onChange,
      leaseLost: onChange,
      slotFreed: onChange,
      failed: (held, error, { action }) => {
        this.#errors.set(held, isFailedAttempt(error) ? error.cause : error);
        if (action === 'delete') this.messagesLog.push(held.message.body);
      },
      afterMessageFailed: (_, error) => {
        this.mistakes.push(error);
      },
      settled: (held, outcome) => {
        this.#add(held, outcome);
        onChange();
      },
    };
  }

  #add(held: HeldMessage, { action }: Outcome): void {
    const { id: messageId, body, receiveCount } = held.message;
    const hasFailed = this.#errors.has(held);
    const error = this.#errors.get(held);
    this.#errors.delete(held);
    const list = action === 'retry' ? this.kept : hasFailed ? this.failed : this.deleted;
    list.push({ queue: held.queue.name, messageId, body, receiveCount, ...(hasFailed && { error }) });
  }
}
