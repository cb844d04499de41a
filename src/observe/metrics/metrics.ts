/** Counts the run loop's events for each queue. It runs for every message, so it does little more than add. */
import type { Message, Queue } from '../../brokers/broker.ts';
import type { QueueLoad } from '../../consumer/consumer.ts';
import type { ConsumerObserver } from '../../consumer/observer.ts';
import { withoutBase64 } from '../../message/call.ts';
import { isFailedAttempt } from '../../worker/errors.ts';
import type { Outcome } from '../../worker/outcome.ts';
import { billedRequests } from '../cost/cost.ts';
import { describeThrown } from '../logging/formats.ts';
import { Histogram } from './histogram.ts';
import { redacted } from './redacted.ts';
import { type Failure, KEPT_FAILURES, type QueueSnapshot, type Snapshot } from './snapshot.ts';

/** How many characters of an error and of a body to keep with a failure. */
const KEPT_ERROR = 1_000;
const KEPT_BODY = 500;

class QueueCounters {
  received = 0;
  emptyReceives = 0;
  fullReceives = 0;
  failedReceives = 0;
  outcomes = { handled: 0, dropped: 0, retried: 0, buried: 0 };
  readonly handling = new Histogram();
  readonly age = new Histogram();
  leaseExtensions = 0;
  leasesLost = 0;
  readonly requests: Record<string, number> = {};
  billedRequests = 0;
}

type Named = Pick<Queue, 'name'>;

/** The parts of a held message that are counted. */
interface Counted {
  readonly queue: Named;
  readonly message: Pick<Message, 'id' | 'receiveCount' | 'body'>;
}

export class Metrics implements ConsumerObserver {
  readonly #startedAt = Date.now();
  readonly #queues = new Map<string, QueueCounters>();
  readonly #failures: Failure[] = [];

  received({ name }: Named, messages: readonly Pick<Message, 'sentAt'>[]): void {
    const counters = this.#of(name);
    if (messages.length === 0) {
      counters.emptyReceives += 1;
      return;
    }
    counters.received += messages.length;
    counters.fullReceives += 1;
    const now = Date.now();
    for (const { sentAt } of messages) counters.age.add(Math.max(0, now - sentAt) / 1000);
  }

  receiveFailed({ name }: Named): void {
    this.#of(name).failedReceives += 1;
  }

  handled({ queue }: Pick<Counted, 'queue'>, milliseconds: number): void {
    const counters = this.#of(queue.name);
    counters.outcomes.handled += 1;
    counters.handling.add(milliseconds / 1000);
  }

  failed(
    { queue, message }: Counted,
    error: unknown,
    { action }: Pick<Outcome, 'action'>,
    milliseconds: number,
  ): void {
    const counters = this.#of(queue.name);
    const outcome = FAILED[action];
    counters.outcomes[outcome] += 1;
    counters.handling.add(milliseconds / 1000);
    this.#failures.unshift({
      at: Date.now(),
      queue: queue.name,
      messageId: message.id,
      receiveCount: message.receiveCount,
      error: redacted(describeError(isFailedAttempt(error) ? error.cause : error), KEPT_ERROR),
      body: redacted(withoutBase64(message.body), KEPT_BODY),
      outcome,
    });
    if (this.#failures.length > KEPT_FAILURES) this.#failures.pop();
  }

  extended({ name }: Named, count: number): void {
    this.#of(name).leaseExtensions += count;
  }

  leaseLost({ queue }: Pick<Counted, 'queue'>): void {
    this.#of(queue.name).leasesLost += 1;
  }

  /** Counts a request to the broker; `bytes` is its size. */
  requested(queue: string, action: string, bytes: number): void {
    const counters = this.#of(queue);
    counters.requests[action] = (counters.requests[action] ?? 0) + 1;
    counters.billedRequests += billedRequests(bytes);
  }

  /** All counts, and the messages that the run loop holds now. */
  snapshot(slots: number, loads: readonly QueueLoad[]): Snapshot {
    for (const { name } of loads) this.#of(name);
    const queues = [...this.#queues].map(([name, counters]): [string, QueueSnapshot] => {
      const load = loads.find((load) => load.name === name);
      const { held = 0, running = 0, failing = false, silentSeconds = 0 } = load ?? {};
      const { handling, age, outcomes, requests, ...counts } = counters;
      return [
        name,
        {
          ...counts,
          worked: load !== undefined,
          outcomes: { ...outcomes },
          requests: { ...requests },
          handling: handling.counts,
          age: age.counts,
          held,
          running,
          failing: failing ? 1 : 0,
          silentSeconds,
        },
      ];
    });
    return {
      startedAt: this.#startedAt,
      slots,
      queues: Object.fromEntries(queues),
      failures: [...this.#failures],
    };
  }

  #of(name: string): QueueCounters {
    let counters = this.#queues.get(name);
    if (!counters) {
      counters = new QueueCounters();
      this.#queues.set(name, counters);
    }
    return counters;
  }
}

function describeError(error: unknown): string {
  return error instanceof Error ? String(error) : describeThrown(error);
}

const FAILED = { delete: 'dropped', retry: 'retried', bury: 'buried' } as const;
