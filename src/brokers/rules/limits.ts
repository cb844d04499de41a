/** The limits of SQS (developer guide, "Amazon SQS quotas"), which every broker keeps so that what works there works on SQS. */
import type { RequestLimits } from '../broker.ts';

/**
 * The most entries of a batch request, and messages of a receive. What asks a particular queue reads its `limits` instead; this
 * is for SQS's own numbers, such as those of FIFO queues and of what SQS costs.
 */
export const BATCH_ENTRIES = 10;
/** The most bytes of a request, and so of a message: 1 MiB. */
export const MAX_REQUEST_BYTES = 1_048_576;
/** What one request to a queue of SQS may carry. */
export const SQS_LIMITS: RequestLimits = {
  maxBatch: BATCH_ENTRIES,
  maxReceiveBytes: BATCH_ENTRIES * MAX_REQUEST_BYTES,
  maxRequestBytes: MAX_REQUEST_BYTES,
  maxMessageBytes: MAX_REQUEST_BYTES,
};
/** The longest visibility timeout, and so the longest that a message can be kept in flight, in seconds: 12 hours. */
export const MAX_VISIBILITY_TIMEOUT = 43_200;
/** The longest delay of a message, in seconds: 15 minutes. */
export const MAX_DELAY_SECONDS = 900;
/** The most attributes of a message. */
export const MAX_ATTRIBUTES = 10;
/** The longest delay of a message in a database of ours, in seconds: a year. There, nothing but sense limits it. */
export const MAX_DATABASE_DELAY_SECONDS = 365 * 24 * 60 * 60;
