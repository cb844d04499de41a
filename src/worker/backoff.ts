/** How long a message that is to be tried again stays away: pure functions of its receive count. */

import { MAX_VISIBILITY_TIMEOUT } from '../brokers/rules/limits.ts';
import type { ContainerSettings } from '../config/config.ts';

/** Seconds until a message received so many times (1 or more) comes back; undefined: when its visibility timeout ends. */
export type Backoff = (receiveCount: number) => number | undefined;

export interface BackoffOptions {
  /** Seconds. Default 2. */
  readonly base?: number;
  /** The longest, in seconds. Default 1800. */
  readonly max?: number;
  /** How far the delays of many messages are spread, as a share of the delay: a standard deviation. Default 0.1. */
  readonly spread?: number;
  /** For specs: a random number from 0 to 1. Default: Math.random. */
  readonly random?: () => number;
}

/** The backoff that the settings of a container ask for. */
export function backoffOf(
  {
    backoff,
    backoffBase: base,
    backoffMax: max,
    backoffSpread: spread,
  }: Pick<ContainerSettings, 'backoff' | 'backoffBase' | 'backoffMax' | 'backoffSpread'>,
  random: () => number,
): Backoff {
  switch (backoff) {
    case 'none':
      return noBackoff;
    case 'constant':
      return constantBackoff({ base, max, spread, random });
    case 'exponential':
      return exponentialBackoff({ base, max, spread, random });
  }
}

/** A message comes back when its visibility timeout ends. */
export const noBackoff: Backoff = () => undefined;

/** `base` seconds each time. */
export function constantBackoff(options: BackoffOptions = {}): Backoff {
  const { base = 2 } = options;
  return () => spreadOut(base, options);
}

/**
 * `base` to the power of the receives before this one, so 1, 2, 4, 8 … seconds for a base of 2 (Doist's sqs-workers).
 */
export function exponentialBackoff(options: BackoffOptions = {}): Backoff {
  const { base = 2 } = options;
  return (receiveCount) => spreadOut(base ** (receiveCount - 1), options);
}

/** Messages that failed together should not come back together: their delays are spread normally. */
function spreadOut(
  seconds: number,
  { max = 1800, spread = 0.1, random = Math.random }: BackoffOptions,
): number {
  const bounded = Math.min(seconds, max);
  const wanted = bounded + bounded * spread * normal(random);
  return Math.max(0, Math.min(Math.round(wanted), max, MAX_VISIBILITY_TIMEOUT));
}

/** A number of the standard normal distribution (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
