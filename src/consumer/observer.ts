/**
 * Events of the run loop: logs, metrics and the test container listen here. The loop does not depend on any listener
 * and continues when one throws, except in `failed`, as described there.
 */
import type { Message, Queue } from '../brokers/broker.ts';
import type { Outcome } from '../worker/outcome.ts';
import type { HeldMessage } from './held-message.ts';

export interface ConsumerObserver {
  /** A receive returned, `milliseconds` after it was sent. */
  received?(queue: Queue, messages: readonly Message[], milliseconds: number): void;
  /** The `failures`th receive in a row failed; the next one starts after `pauseMs` milliseconds. */
  receiveFailed?(queue: Queue, error: Error, failures: number, pauseMs: number): void;
  /** A receive succeeded again, `seconds` after the first failure. */
  receiveRecovered?(queue: Queue, seconds: number): void;
  /** A worker returned, after `milliseconds`. */
  handled?(held: HeldMessage, milliseconds: number): void;
  /**
   * A worker threw, and `outcome` is the result. If this listener throws, the message is retried, not deleted: a
   * message that could not be recorded must not be lost.
   */
  failed?(held: HeldMessage, error: unknown, outcome: Outcome, milliseconds: number): void;
  /** A message is done, whatever its outcome. Not called for messages returned to the queue for another process. */
  done?(held: HeldMessage): void;
  /** A worker is still running `seconds` after its handler timeout aborted its signal; the consumer drains. */
  stuck?(held: HeldMessage, seconds: number): void;
  /** The worker's `afterMessage` threw. */
  afterMessageFailed?(held: HeldMessage, error: unknown): void;
  /** The slot of a message is free: its worker and `afterMessage` have ended. */
  slotFreed?(held: HeldMessage): void;
  /** The broker confirmed a message's outcome, or the message was left to become visible again. */
  settled?(held: HeldMessage, outcome: Outcome): void;
  /** A request to settle `count` messages failed; it is retried while their leases last. */
  settleFailed?(error: Error, count: number): void;
  /** The leases of `count` messages were extended. */
  extended?(queue: Queue, count: number): void;
  /** A request to extend the leases of `count` messages failed; it is retried. */
  extensionFailed?(error: Error, count: number): void;
  /** Another process may have the message now. If its worker is running, its signal has aborted. */
  leaseLost?(held: HeldMessage, reason: string): void;
}

type Method<Args extends unknown[]> = ((...args: Args) => void) | undefined;

/** Combines observers into one that cannot harm the loop: errors from their methods are dropped, except in `failed`. */
export function harmless(observers: readonly ConsumerObserver[]): ConsumerObserver {
  /** Calls the method that `of` picks from each observer. */
  const guarded = <Args extends unknown[]>(of: (observer: ConsumerObserver) => Method<Args>) => {
    const calls = observers.flatMap((observer) => of(observer)?.bind(observer) ?? []);
    // Some are called for each message.
    if (calls.length === 0) return () => {};
    return (...args: Args) => {
      for (const call of calls) {
        try {
          call(...args);
        } catch {
          // A broken listener must not stop us from handling messages.
        }
      }
    };
  };
  return {
    received: guarded(({ received }) => received),
    receiveFailed: guarded(({ receiveFailed }) => receiveFailed),
    receiveRecovered: guarded(({ receiveRecovered }) => receiveRecovered),
    handled: guarded(({ handled }) => handled),
    failed: (...args) => {
      for (const observer of observers) observer.failed?.(...args);
    },
    done: guarded(({ done }) => done),
    stuck: guarded(({ stuck }) => stuck),
    afterMessageFailed: guarded(({ afterMessageFailed }) => afterMessageFailed),
    slotFreed: guarded(({ slotFreed }) => slotFreed),
    settled: guarded(({ settled }) => settled),
    settleFailed: guarded(({ settleFailed }) => settleFailed),
    extended: guarded(({ extended }) => extended),
    extensionFailed: guarded(({ extensionFailed }) => extensionFailed),
    leaseLost: guarded(({ leaseLost }) => leaseLost),
  };
}
