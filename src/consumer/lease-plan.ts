/** When leases are extended and by how much: pure decisions over times in milliseconds of the machine's `now()`. */
import { MAX_VISIBILITY_TIMEOUT } from '../brokers/rules/limits.ts';

/** Extend a lease when half of it is left: that leaves time for several attempts before it runs out. */
const EXTEND_AT_SHARE = 1 / 2;
/** Leases due within this share of the timeout go into the same requests. */
const TOGETHER_SHARE = 1 / 8;
/** Retry a failed extension after this share of the time left. */
const RETRY_SHARE = 1 / 4;
const SHORTEST_RETRY_MS = 100;

/** When to extend a lease of `timeoutSeconds` that ends at `leaseEndsAt`. */
export function extensionTime(leaseEndsAt: number, timeoutSeconds: number): number {
  return leaseEndsAt - timeoutSeconds * 1000 * EXTEND_AT_SHARE;
}

/** Whether a lease goes into the requests sent at `now`. */
export function isDue(extendAt: number, now: number, timeoutSeconds: number): boolean {
  return extendAt <= now + timeoutSeconds * 1000 * TOGETHER_SHARE;
}

/**
 * How long an extension made at `now` can be, in whole seconds: the visibility timeout, less near the end of the 12
 * hours, 0 after that.
 *
 *     extensionSeconds(0, 60_000, 30)        // 30
 *     extensionSeconds(0, 43_190_000, 30)    // 10
 *     extensionSeconds(0, 43_200_000, 30)    // 0
 */
export function extensionSeconds(receivedAt: number, now: number, timeoutSeconds: number): number {
  // SQS counts the 12 hours from the receive, including all extensions.
  const left = Math.floor((receivedAt + MAX_VISIBILITY_TIMEOUT * 1000 - now) / 1000);
  return Math.max(0, Math.min(timeoutSeconds, left));
}

/** When to retry after an extension failed at `now`: the less time is left, the sooner. */
export function retryTime(leaseEndsAt: number, now: number): number {
  return now + Math.max(SHORTEST_RETRY_MS, (leaseEndsAt - now) * RETRY_SHARE);
}
