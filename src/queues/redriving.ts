/** Decides what a redrive moves, and where to. */
import type { PeekedMessage, Queue } from '../brokers/broker.ts';
import { BrokerError } from '../brokers/errors.ts';

/** Which messages to move: those that fit all that is given. */
export interface Filter {
  /** A part of the body. */
  readonly text?: string;
  /** Names and values of String and Number attributes. */
  readonly attributes?: readonly (readonly [name: string, value: string])[];
  /** Sent at least so many seconds ago. */
  readonly olderThan?: number;
}

/** A test for messages; undefined if all are wanted. `now` is in milliseconds since the epoch. */
export function matcher(
  { text, attributes = [], olderThan }: Filter,
  now: number,
): ((message: PeekedMessage) => boolean) | undefined {
  if (text === undefined && attributes.length === 0 && olderThan === undefined) return undefined;
  return (message) =>
    (text === undefined || message.body.includes(text)) &&
    attributes.every(([name, value]) => message.attributes[name]?.stringValue === value) &&
    (olderThan === undefined || message.sentAt <= now - olderThan * 1000);
}

/** What is known of where the messages of a dead-letter queue belong. */
export interface Known {
  /** The queue that the user names. */
  readonly to?: string | undefined;
  /** The queues of an ini file, and its dead-letter queue. */
  readonly handled: readonly string[];
  readonly deadLetterQueue?: string | undefined;
}

/** The queues that the messages of this dead-letter queue may belong to: none if nobody knows. Throws BrokerError. */
export async function targetsOf(source: Queue, { to, handled, deadLetterQueue }: Known): Promise<string[]> {
  if (to !== undefined) return [to];
  if (source.name === deadLetterQueue) return [...handled];
  try {
    return (await source.deadLetterSources?.()) ?? [];
  } catch (error) {
    // Who may not ask, or asks an emulator that does not know, can still say it.
    if (error instanceof BrokerError && (error.kind === 'denied' || error.kind === 'rejected')) return [];
    throw error;
  }
}
