/**
 * Sending, receiving and deleting 10,000 messages of 300 bytes, beside what others do on the same store: each candidate
 * in a process of its own and on an empty store. Run: npm run bench -- brokers/speed
 */
import { join } from 'node:path';
import { inRounds, median, ROUNDS } from '../measure.ts';
import { inOwnProcess } from '../own-process.ts';
import { atLeast, type Finding, printTable, show } from '../report.ts';
import { type CandidateName, candidates } from './candidates.ts';
import type { Passage } from './passage.ts';
import { installPeers } from './peers.ts';
import { installedStores, type StoreName, stores, withStore } from './stores.ts';

/** How many send and then receive at once, and how many times the rate of each other is to be reached. */
const COMPARED: Record<StoreName, { readonly consumers: readonly number[]; readonly times: number }> = {
  sqlite: { consumers: [1], times: 1 },
  postgres: { consumers: [1, 8], times: 1 },
  redis: { consumers: [1, 8], times: 10 },
};

export async function bench(): Promise<Finding[]> {
  installPeers();
  const findings: Finding[] = [];
  for (const store of installedStores()) {
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
      inOwnProcess<Passage>(join(import.meta.dirname, 'passage.ts'), 'pass', {
        candidate,
        address,
        consumers,
      }),
    ),
  );
  const rate = (name: CandidateName, key: keyof Passage) =>
    median((rounds.get(name) ?? []).map((passage) => passage[key]));
  const who = `${consumers} ${consumers === 1 ? 'consumer' : 'consumers'}`;
  const place = stores[store].title;
  printTable(
    `${place}, ${who}: messages of 300 bytes a second; median of ${ROUNDS}`,
    ['', 'sent', 'received and deleted', 'sent, then received and deleted'],
    names.map((name) => [
      candidates[name].title,
      ...(['sent', 'handled', 'passed'] as const).map((key) => show(rate(name, key))),
    ]),
  );
  // Whoever sends to a server is seldom who receives; a queue file is in the hands of one program.
  const [key, what] =
    store === 'sqlite'
      ? (['passed', 'sent, received and deleted'] as const)
      : (['handled', 'received and deleted'] as const);
  const others = names.filter((name) => name !== store);
  return others.map((name) =>
    atLeast(
      `${place}, ${who}: ${what}, to ${candidates[name].title}`,
      rate(store, key) / rate(name, key),
      COMPARED[store].times,
      '×',
    ),
  );
}
