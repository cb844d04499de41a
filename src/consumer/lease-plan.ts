/** When leases are extended and by how much: pure decisions over times in milliseconds of the machine's `now()`. */
import { MAX_VISIBILITY_TIMEOUT } from '../brokers/rules/limits.ts';

/** A lease is extended when half of it is left: time for several tries before it runs out. */
const EXTEND_AT_SHARE = 1 / 2;
/** Whatever is due within this share goes into the same requests. */
const TOGETHER_SHARE = 1 / 8;
/** A failed extension is tried again after this share of what is left. */
const RETRY_SHARE = 1 / 4;
const SHORTEST_RETRY_MS = 100;

/** When a lease of `timeoutSeconds` that ends at `leaseEndsAt` is to be extended. */
export function extensionTime(leaseEndsAt: number, timeoutSeconds: number): number {
  return leaseEndsAt - timeoutSeconds * 1000 * EXTEND_AT_SHARE;
}

/** Whether a lease goes into the requests sent at `now`. */
export function isDue(extendAt: number, now: number, timeoutSeconds: number): boolean {
  return extendAt <= now + timeoutSeconds * 1000 * TOGETHER_SHARE;
}

/**
 * By how many whole seconds a lease can be extended at `now`: the visibility timeout, less near the end of the 12
 * hours, 0 when they are over.
 *
 *     extensionSeconds(0, 60_000, 30)        // 30
 *     extensionSeconds(0, 43_190_000, 30)    // 10
 *     extensionSeconds(0, 43_200_000, 30)    // 0
 */
export function extensionSeconds(receivedAt: number, now: number, timeoutSeconds: number): number {
  // SQS counts the 12 hours from the receive, extensions included.
  const left = Math.floor((receivedAt + MAX_VISIBILITY_TIMEOUT * 1000 - now) / 1000);
  return Math.max(0, Math.min(timeoutSeconds, left));
}

/** When to try again after an extension failed at `now`: sooner, the less is left. */
export function retryTime(leaseEndsAt: number, now: number): number {
  return now + Math.max(SHORTEST_RETRY_MS, (leaseEndsAt - now) * RETRY_SHARE);
}
