/** The prices of Amazon SQS, and the cost of requests: per month, per million messages, and of a container. */
import { isFifoName } from '../../brokers/rules/queue-name.ts';

/** Kinds of queues with different prices. */
type QueueKind = 'standard' | 'fifo';

/**
 * US East (N. Virginia), in US dollars, as of November 2026, from https://aws.amazon.com/sqs/pricing/: for the first 100
 * billion requests per month; further requests are cheaper. Prices in other regions differ by a few percent.
 */
export const PRICES = {
  date: '2026-11',
  region: 'us-east-1',
  currency: 'USD',
  /** Free requests per month, for the whole account and both kinds together. */
  freeRequests: 1_000_000,
  perMillion: { standard: 0.4, fifo: 0.5 },
} as const;

/** SQS bills each 64 KiB of a request as one request. */
const BILLED_BYTES = 64 * 1024;

/** Billed requests per month, by kind of queue. */
export type MonthlyRequests = Readonly<Record<QueueKind, number>>;

const MILLION = 1_000_000;
/** AWS's month of 730 hours. */
export const SECONDS_A_MONTH = 730 * 60 * 60;

/**
 * How many requests SQS bills for a request with this many bytes of bodies and attributes.
 *
 *     billedRequests(0)          // 1
 *     billedRequests(65_537)     // 2
 */
export function billedRequests(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / BILLED_BYTES));
}

/**
 * The cost of a month's requests. The free requests are split between both kinds in proportion. They belong to the
 * account, which may also use them for other queues.
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
 * The cost per million messages if `messages` messages took these requests, ignoring free requests; undefined if there
 * were no messages.
 *
 *     costPerMillionMessages({ standard: 20, fifo: 0 }, 100)    // 0.08
 */
export function costPerMillionMessages(requests: MonthlyRequests, messages: number): number | undefined {
  return messages === 0 ? undefined : (priceOf(requests) / messages) * MILLION;
}

/** The cost of the requests on Amazon SQS, in US dollars; for other brokers, what they would cost there. */
export interface CostStatus {
  readonly isOnSqs: boolean;
  /** The date of the prices, such as `2026-11`. */
  readonly pricesOf: string;
  /** Billed requests per second, over the last minute. */
  readonly requestsPerSecond: number;
  /** Billed requests per message, since the start; null: no messages received. */
  readonly requestsPerMessage: number | null;
  /** Since the start, ignoring free requests; null: no messages received. */
  readonly perMillionMessages: number | null;
  /** The cost of a month at the rate of the last minute, with the first million requests free. */
  readonly perMonth: number;
}

/** The counts of a queue. `perSecond`: billed requests, over the last minute. */
export interface Billed {
  readonly name: string;
  readonly billedRequests: number;
  readonly received: number;
  readonly perSecond: number;
}

/** The cost of the counted requests; for other brokers, what they would cost on SQS. */
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
