/** What Amazon SQS takes for requests, and what those of a month, of a million messages or of a container cost. */
import { isFifoName } from '../../brokers/rules/queue-name.ts';

/** The kinds of queues, which have different prices. */
type QueueKind = 'standard' | 'fifo';

/**
 * US East (N. Virginia), in US dollars, as of November 2026, from https://aws.amazon.com/sqs/pricing/: up to 100 billion
 * requests a month; more is cheaper. Other regions differ by some percent.
 */
export const PRICES = {
  date: '2026-11',
  region: 'us-east-1',
  currency: 'USD',
  /** Requests of each month that cost nothing: of the whole account, both kinds together. */
  freeRequests: 1_000_000,
  perMillion: { standard: 0.4, fifo: 0.5 },
} as const;

/** SQS bills each 64 KiB of what a request carries as one request. */
const BILLED_BYTES = 64 * 1024;

/** Billed requests in a month, of queues of each kind. */
export type MonthlyRequests = Readonly<Record<QueueKind, number>>;

const MILLION = 1_000_000;
/** As AWS counts it: 730 hours. */
export const SECONDS_A_MONTH = 730 * 60 * 60;

/**
 * How many requests SQS bills for one that carries so many bytes of bodies and attributes.
 *
 *     billedRequests(0)          // 1
 *     billedRequests(65_537)     // 2
 */
export function billedRequests(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / BILLED_BYTES));
}

/**
 * What the requests of a month cost. The free ones count for both kinds in proportion: they belong to the account, which
 * may use them for other queues, too.
 *
 *     monthlyCost({ standard: 3_000_000, fifo: 0 })            // 0.8
 *     monthlyCost({ standard: 3_000_000, fifo: 0 }, 0)         // 1.2
 *     monthlyCost({ standard: 1_000_000, fifo: 1_000_000 })    // 0.45
 */
export function monthlyCost(
  { standard, fifo }: MonthlyRequests,
  freeRequests: number = PRICES.freeRequests,
): number {
  const all = standard + fifo;
  if (all <= freeRequests) return 0;
  return (priceOf({ standard, fifo }) * (all - freeRequests)) / all;
}

/**
 * What a million messages cost that took so many requests, the free requests of the account aside; undefined without
 * messages.
 *
 *     costPerMillionMessages({ standard: 20, fifo: 0 }, 100)    // 0.08
 */
export function costPerMillionMessages(requests: MonthlyRequests, messages: number): number | undefined {
  return messages === 0 ? undefined : (priceOf(requests) / messages) * MILLION;
}

/** What the requests cost on Amazon SQS, in US dollars; of another broker: what they would cost there. */
export interface CostStatus {
  readonly isOnSqs: boolean;
  /** The month of the prices. */
  readonly pricesOf: string;
  /** Billed requests a second, over the last minute. */
  readonly requestsPerSecond: number;
  /** Billed requests a message, since the start; null: no message came. */
  readonly requestsPerMessage: number | null;
  /** Since the start, the free requests of the account aside; null: no message came. */
  readonly perMillionMessages: number | null;
  /** If all of a month were as the last minute, with the first million free. */
  readonly perMonth: number;
}

/** What was counted of a queue. `perSecond`: billed requests, over the last minute. */
export interface Billed {
  readonly name: string;
  readonly billedRequests: number;
  readonly received: number;
  readonly perSecond: number;
}

/** The cost of what was counted; on another broker, what it would be on SQS. */
export function costOf(isOnSqs: boolean, queues: readonly Billed[]): CostStatus {
  const byKind = (of: (queue: Billed) => number): MonthlyRequests => {
    const sums = { standard: 0, fifo: 0 };
    for (const queue of queues) sums[isFifoName(queue.name) ? 'fifo' : 'standard'] += of(queue);
    return sums;
  };
  const requests = byKind(({ billedRequests }) => billedRequests);
  const perSecond = byKind((queue) => queue.perSecond);
  const messages = queues.reduce((sum, { received }) => sum + received, 0);
  return {
    isOnSqs,
    pricesOf: PRICES.date,
    requestsPerSecond: perSecond.standard + perSecond.fifo,
    requestsPerMessage: messages === 0 ? null : (requests.standard + requests.fifo) / messages,
    perMillionMessages: costPerMillionMessages(requests, messages) ?? null,
    perMonth: monthlyCost({
      standard: perSecond.standard * SECONDS_A_MONTH,
      fifo: perSecond.fifo * SECONDS_A_MONTH,
    }),
  };
}

function priceOf({ standard, fifo }: MonthlyRequests): number {
  return (standard * PRICES.perMillion.standard + fifo * PRICES.perMillion.fifo) / MILLION;
}
