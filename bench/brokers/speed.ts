/**
 * Sends, receives and deletes 10,000 messages of 300 bytes, compared with other queues on the same store: each candidate
 * runs in its own process on an empty store. Run: npm run bench -- brokers/speed
 */
import { join } from 'node:path';
import { available, STORES, type StoreName, stores, withStore } from '../../harness/brokers.ts';
import { inOwnProcess } from '../../harness/own-process.ts';
import { atLeast, type Finding, printTable, show } from '../../harness/report.ts';
import { inRounds, median, ROUNDS } from '../../harness/statistics.ts';
import { type CandidateName, candidates, installPeers } from './candidates.ts';

const MESSAGES = 10_000;
const WARM_UP_MESSAGES = 2_000;
/** Limited by time, not messages: compiling the functions takes as long for candidates with few calls per message. */
const WARM_UP_MS = 3_000;
export const BODY = 'x'.repeat(300);

/** A queue as its users use it. */
export interface QueueUnderTest {
  /** Resolves when all messages are accepted. */
  send(bodies: readonly string[], senders: number): Promise<void>;
  /** Receives and deletes the sent messages; resolves to how many, which should be `count`. */
  handle(count: number, consumers: number): Promise<number>;
  close(): Promise<unknown>;
}

/** Opens a queue in an empty store. */
export type OpenQueue = (address: string) => Promise<QueueUnderTest>;

export interface Setup {
  readonly candidate: CandidateName;
  /** The address of the store. */
  readonly address: string;
  /** The number of concurrent senders and, after that, consumers. */
  readonly consumers: number;
}

/** Messages per second. */
export interface Rates {
  readonly sent: number;
  /** Received and deleted. */
  readonly handled: number;
  /** Sent, then received and deleted. */
  readonly both: number;
}

/** The numbers of consumers to try, and the target as a multiple of the other queues' rates. */
const COMPARED: Record<StoreName, { readonly consumers: readonly number[]; readonly times: number }> = {
  sqlite: { consumers: [1], times: 1 },
  postgres: { consumers: [1, 8], times: 1 },
  redis: { consumers: [1, 8], times: 10 },
};

export async function bench(): Promise<Finding[]> {
  installPeers();
  const findings: Finding[] = [];
  for (const store of available(STORES)) {
    for (const consumers of COMPARED[store].consumers) findings.push(...(await compare(store, consumers)));
  }
  return findings;
}

async function compare(store: StoreName, consumers: number): Promise<Finding[]> {
  const names = (Object.keys(candidates) as CandidateName[]).filter(
    (name) => candidates[name].store === store,
  );
  const rounds = await inRounds(names, (candidate) =>
    withStore(store, (address) =>
      inOwnProcess<Rates>(import.meta.filename, 'measure', {
        candidate,
        address,
        consumers,
      }),
    ),
  );
  const rate = (name: CandidateName, key: keyof Rates) =>
    median((rounds.get(name) ?? []).map((rates) => rates[key]));
  const who = `${consumers} ${consumers === 1 ? 'consumer' : 'consumers'}`;
  const { title } = stores[store];
  printTable(
    `${title}, ${who}: messages of 300 bytes per second; median of ${ROUNDS}`,
    ['', 'sent', 'received and deleted', 'sent, then received and deleted'],
    names.map((name) => [
      candidates[name].title,
      ...(['sent', 'handled', 'both'] as const).map((key) => show(rate(name, key))),
    ]),
  );
  // With a server, senders and receivers are usually different programs; with a queue file, one program often does both.
  const [key, what] =
    store === 'sqlite'
      ? (['both', 'sent, received and deleted'] as const)
      : (['handled', 'received and deleted'] as const);
  const others = names.filter((name) => name !== store);
  return others.map((name) =>
    atLeast(
      `${title}, ${who}: ${what}, vs. ${candidates[name].title}`,
      rate(store, key) / rate(name, key),
      COMPARED[store].times,
      '×',
    ),
  );
}

/** Runs in its own process. */
export async function measure({ candidate, address, consumers }: Setup): Promise<Rates> {
  const { module, open } = candidates[candidate];
  const opens = (await import(join(import.meta.dirname, module))) as Record<string, OpenQueue>;
  const queue = await opens[open]!(address);
  const warmAt = performance.now() + WARM_UP_MS;
  while (performance.now() < warmAt) await sendAndHandle(queue, WARM_UP_MESSAGES, consumers);
  const rates = await sendAndHandle(queue, MESSAGES, consumers);
  await queue.close();
  return rates;
}

async function sendAndHandle(queue: QueueUnderTest, messages: number, consumers: number): Promise<Rates> {
  const bodies = Array.from({ length: messages }, () => BODY);
  const startedAt = performance.now();
  await queue.send(bodies, consumers);
  const sentAt = performance.now();
  const handled = await queue.handle(messages, consumers);
  const endedAt = performance.now();
  if (handled !== messages) throw new Error(`${handled} of ${messages} messages were handled.`);
  const rate = (milliseconds: number) => messages / (milliseconds / 1000);
  return {
    sent: rate(sentAt - startedAt),
    handled: rate(endedAt - sentAt),
    both: rate(endedAt - startedAt),
  };
}
