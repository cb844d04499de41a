/** What requests to Amazon SQS cost, in US dollars. */
import { BILLED_BYTES, PRICES, type QueueKind } from './prices.ts';

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

function priceOf({ standard, fifo }: MonthlyRequests): number {
  return (standard * PRICES.perMillion.standard + fifo * PRICES.perMillion.fifo) / MILLION;
}
