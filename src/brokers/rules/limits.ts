/** The limits of SQS (developer guide, "Amazon SQS quotas"). Other brokers keep them so that the same code works on SQS. */
import type { RequestLimits } from '../broker.ts';

/**
 * The maximum number of entries in a batch request, and of messages in a receive. Requests to a particular queue use its
 * `limits` instead; this is for the limits of SQS itself, such as for FIFO queues and cost estimates.
 */
export const BATCH_ENTRIES = 10;
/** The maximum size of a request, and so of a message, in bytes: 1 MiB. */
export const MAX_REQUEST_BYTES = 1_048_576;
/** The limits of one request to an SQS queue. */
export const SQS_LIMITS: RequestLimits = {
  maxBatch: BATCH_ENTRIES,
  maxReceiveBytes: BATCH_ENTRIES * MAX_REQUEST_BYTES,
  maxRequestBytes: MAX_REQUEST_BYTES,
  maxMessageBytes: MAX_REQUEST_BYTES,
};
/** The longest visibility timeout, and so the longest time a message can be in flight, in seconds: 12 hours. */
export const MAX_VISIBILITY_TIMEOUT = 43_200;
/** The visibility timeout of a queue that was created without one, in seconds. */
export const DEFAULT_VISIBILITY_TIMEOUT = 30;
/** The longest wait of a receive (a long poll), in seconds. */
export const MAX_WAIT_SECONDS = 20;
/** The longest message delay, in seconds: 15 minutes. */
export const MAX_DELAY_SECONDS = 900;
/** The maximum number of attributes of a message. */
export const MAX_ATTRIBUTES = 10;
/** The most queues in one page of a list. */
export const MAX_LISTED_QUEUES = 1000;
/** The longest message delay in our own databases, in seconds: a year. There is no technical limit. */
export const MAX_DATABASE_DELAY_SECONDS = 365 * 24 * 60 * 60;
