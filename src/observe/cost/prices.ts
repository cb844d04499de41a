/** What Amazon SQS takes for requests. */

/** The kinds of queues, which have different prices. */
export type QueueKind = 'standard' | 'fifo';

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
export const BILLED_BYTES = 64 * 1024;
