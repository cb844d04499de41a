/**
 * What the run loop tells the outside: logs, metrics and the test container listen here. The loop needs none of it,
 * and goes on when a listener throws, with the one exception that `failed` names.
 */
import type { Queue } from '../brokers/broker.ts';
import type { Outcome } from '../worker/outcome.ts';
import type { Delivery } from './delivery.ts';

export interface ConsumerObserver {
  /** A receive came back, `milliseconds` after it was sent. */
  received?(queue: Queue, count: number, milliseconds: number): void;
  /** The `failures`th receive in a row failed; the next comes after `pauseMs` milliseconds. */
  receiveFailed?(queue: Queue, error: Error, failures: number, pauseMs: number): void;
  /** A receive worked again, `seconds` after the first one failed. */
  receiveRecovered?(queue: Queue, seconds: number): void;
  /** A worker returned, after `milliseconds`. */
  handled?(delivery: Delivery, milliseconds: number): void;
  /**
   * A worker threw, and `outcome` follows from that. If this throws, the message is not deleted but comes back:
   * what could not be written down must not be lost.
   */
  failed?(delivery: Delivery, error: unknown, outcome: Outcome, milliseconds: number): void;
  /** A worker still runs `seconds` after its signal aborted because its time was over; the consumer drains. */
  stuck?(delivery: Delivery, seconds: number): void;
  /** The worker's `afterMessage` threw. */
  afterMessageFailed?(delivery: Delivery, error: unknown): void;
  /** The broker confirmed what became of a message, or the message was left to come back. */
  settled?(delivery: Delivery, outcome: Outcome): void;
  /** A request to settle `count` messages failed; it is tried again while their leases live. */
  settleFailed?(error: Error, count: number): void;
  /** A request to extend the leases of `count` messages failed; it is tried again. */
  extensionFailed?(error: Error, count: number): void;
  /** Another process may have the message now. If its worker runs, its signal has aborted. */
  leaseLost?(delivery: Delivery, reason: string): void;
}

/** The same observer, unable to hurt the loop: whatever its methods throw is dropped, but for `failed`. */
export function harmless(observer: ConsumerObserver): ConsumerObserver {
  return {
    received: guarded(observer, observer.received),
    receiveFailed: guarded(observer, observer.receiveFailed),
    receiveRecovered: guarded(observer, observer.receiveRecovered),
    handled: guarded(observer, observer.handled),
    failed: (...args) => observer.failed?.(...args),
    stuck: guarded(observer, observer.stuck),
    afterMessageFailed: guarded(observer, observer.afterMessageFailed),
    settled: guarded(observer, observer.settled),
    settleFailed: guarded(observer, observer.settleFailed),
    extensionFailed: guarded(observer, observer.extensionFailed),
    leaseLost: guarded(observer, observer.leaseLost),
  };
}

function guarded<Args extends unknown[]>(
  observer: ConsumerObserver,
  method: ((...args: Args) => void) | undefined,
): (...args: Args) => void {
  return (...args) => {
    try {
      method?.apply(observer, args);
    } catch {
      // A broken listener is no reason to stop handling messages.
    }
  };
}
