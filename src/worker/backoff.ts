/** How long a retried message stays invisible: pure functions of its receive count. */

import { MAX_VISIBILITY_TIMEOUT } from '../brokers/rules/limits.ts';
import type { ContainerSettings } from '../config/config.ts';

/** Seconds until a message received this often (1 or more) is retried; undefined: when its visibility timeout ends. */
export type Backoff = (receiveCount: number) => number | undefined;

export interface BackoffOptions {
  /** Seconds. Default 2. */
  readonly base?: number;
  /** The longest delay, in seconds. Default 1800. */
  readonly max?: number;
  /** How far delays are spread: the standard deviation as a share of the delay. Default 0.1. */
  readonly spread?: number;
  /** For specs: a random number from 0 to 1. Default: Math.random. */
  readonly random?: () => number;
}

/** The backoff for a container's settings. */
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

/** Retries a message when its visibility timeout ends. */
export const noBackoff: Backoff = () => undefined;

/** Retries a message after `base` seconds, every time. */
export function constantBackoff(options: BackoffOptions = {}): Backoff {
  const { base = 2 } = options;
  return () => spreadOut(base, options);
}

/**
 * Retries a message after `base` to the power of its previous receives: 1, 2, 4, 8 … seconds for base 2 (as in Doist's
 * sqs-workers).
 */
export function exponentialBackoff(options: BackoffOptions = {}): Backoff {
  const { base = 2 } = options;
  return (receiveCount) => spreadOut(base ** (receiveCount - 1), options);
}

/** Spreads delays along a normal distribution, so that messages that failed together are not all retried together. */
function spreadOut(
  seconds: number,
  { max = 1800, spread = 0.1, random = Math.random }: BackoffOptions,
): number {
  const bounded = Math.min(seconds, max);
  const wanted = bounded + bounded * spread * normal(random);
  return Math.max(0, Math.min(Math.round(wanted), max, MAX_VISIBILITY_TIMEOUT));
}

/** A random number from the standard normal distribution (Box-Muller transform). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
