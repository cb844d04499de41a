/**
 * What the run loop tells the outside: logs, metrics and the test container listen here. The loop needs none of it,
 * and goes on when a listener throws, with the one exception that `failed` names.
 */
import type { Message, Queue } from '../brokers/broker.ts';
import type { Outcome } from '../worker/outcome.ts';
import type { HeldMessage } from './held-message.ts';

export interface ConsumerObserver {
  /** A receive came back, `milliseconds` after it was sent. */
  received?(queue: Queue, messages: readonly Message[], milliseconds: number): void;
  /** The `failures`th receive in a row failed; the next comes after `pauseMs` milliseconds. */
  receiveFailed?(queue: Queue, error: Error, failures: number, pauseMs: number): void;
  /** A receive worked again, `seconds` after the first one failed. */
  receiveRecovered?(queue: Queue, seconds: number): void;
  /** A worker returned, after `milliseconds`. */
  handled?(held: HeldMessage, milliseconds: number): void;
  /**
   * A worker threw, and `outcome` follows from that. If this throws, the message is not deleted but comes back:
   * what could not be written down must not be lost.
   */
  failed?(held: HeldMessage, error: unknown, outcome: Outcome, milliseconds: number): void;
  /** A message is done, whatever its outcome; not one that is given back for another process. */
  done?(held: HeldMessage): void;
  /** A worker still runs `seconds` after its signal aborted because its time was over; the consumer drains. */
  stuck?(held: HeldMessage, seconds: number): void;
  /** The worker's `afterMessage` threw. */
  afterMessageFailed?(held: HeldMessage, error: unknown): void;
  /** The slot of a message is free: its worker has ended, and what follows it. */
  slotFreed?(held: HeldMessage): void;
  /** The broker confirmed what became of a message, or the message was left to come back. */
  settled?(held: HeldMessage, outcome: Outcome): void;
  /** A request to settle `count` messages failed; it is tried again while their leases live. */
  settleFailed?(error: Error, count: number): void;
  /** The leases of `count` messages were extended. */
  extended?(queue: Queue, count: number): void;
  /** A request to extend the leases of `count` messages failed; it is tried again. */
  extensionFailed?(error: Error, count: number): void;
  /** Another process may have the message now. If its worker runs, its signal has aborted. */
  leaseLost?(held: HeldMessage, reason: string): void;
}

type Method<Args extends unknown[]> = ((...args: Args) => void) | undefined;

/** These observers as one that is unable to hurt the loop: whatever their methods throw is dropped, but for `failed`. */
export function harmless(observers: readonly ConsumerObserver[]): ConsumerObserver {
  /** Calls the method that `of` takes from each observer. */
  const guarded = <Args extends unknown[]>(of: (observer: ConsumerObserver) => Method<Args>) => {
    const calls = observers.flatMap((observer) => of(observer)?.bind(observer) ?? []);
    return (...args: Args) => {
      for (const call of calls) {
        try {
          call(...args);
        } catch {
          // A broken listener is no reason to stop handling messages.
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
