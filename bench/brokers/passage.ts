/** How many messages of 300 bytes a candidate sends, and then receives and deletes, a second. */
import { join } from 'node:path';
import { type CandidateName, candidates } from './candidates.ts';

const MESSAGES = 10_000;
const WARM_UP_MESSAGES = 2_000;
/** By time: to compile its functions takes Node.js as long for those that handle many messages with few calls. */
const WARM_UP_MS = 3_000;
export const BODY = 'x'.repeat(300);

/** A queue as its users use it. */
export interface QueueUnderTest {
  /** Resolves when all are accepted. */
  send(bodies: readonly string[], senders: number): Promise<void>;
  /** Receives and deletes the messages that were sent; resolves to how many, which is to be `count`. */
  handle(count: number, consumers: number): Promise<number>;
  close(): Promise<unknown>;
}

/** Opens a queue in an empty store. */
export type OpenQueue = (address: string) => Promise<QueueUnderTest>;

export interface Setup {
  readonly candidate: CandidateName;
  /** Of the store. */
  readonly address: string;
  /** How many send, and then receive, at once. */
  readonly consumers: number;
}

/** Messages a second. */
export interface Passage {
  readonly sent: number;
  /** Received and deleted. */
  readonly handled: number;
  /** Through both, one after the other. */
  readonly passed: number;
}

/** Runs in a process of its own. */
export async function pass({ candidate, address, consumers }: Setup): Promise<Passage> {
  const { module, open } = candidates[candidate];
  const opens = (await import(join(import.meta.dirname, module))) as Record<string, OpenQueue>;
  const queue = await opens[open]!(address);
  const warmAt = performance.now() + WARM_UP_MS;
  while (performance.now() < warmAt) await passThrough(queue, WARM_UP_MESSAGES, consumers);
  const passage = await passThrough(queue, MESSAGES, consumers);
  await queue.close();
  return passage;
}

async function passThrough(queue: QueueUnderTest, messages: number, consumers: number): Promise<Passage> {
  const bodies = Array.from({ length: messages }, () => BODY);
  const startedAt = performance.now();
  await queue.send(bodies, consumers);
  const sentAt = performance.now();
  const handled = await queue.handle(messages, consumers);
  const endedAt = performance.now();
  if (handled !== messages) throw new Error(`Of ${messages} messages, ${handled} were handled.`);
  const rate = (milliseconds: number) => messages / (milliseconds / 1000);
  return {
    sent: rate(sentAt - startedAt),
    handled: rate(endedAt - sentAt),
    passed: rate(endedAt - startedAt),
  };
}
