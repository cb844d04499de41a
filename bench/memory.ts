/**
 * Heap and resident memory over 500,000 messages, sampled after garbage collections: is it flat, and how does it compare
 * with the raw SDK loop? Takes minutes. Run: npm run bench -- memory
 */
import { inOwnProcess } from '../harness/own-process.ts';
import { atMost, type Finding, printTable, show } from '../harness/report.ts';
import { startStub } from '../harness/sqs-stub-process.ts';
import { median } from '../harness/statistics.ts';
import { type CandidateName, candidates } from './candidates.ts';

const MESSAGES = 500_000;
const SAMPLE_EVERY = 50_000;
const CANDIDATES = ['rawLoop', 'sequential', 'concurrent'] as const;

/** Bytes after this many messages. */
interface Sample {
  readonly messages: number;
  readonly heap: number;
  readonly resident: number;
}

export async function bench(): Promise<Finding[]> {
  const memory = new Map<CandidateName, { heap: number; resident: number; growth: number }>();
  for (const candidate of CANDIDATES) {
    const samples = await inOwnProcess<Sample[]>(import.meta.filename, 'sample', { candidate });
    const heap = samples.map(({ heap }) => heap);
    const resident = samples.map(({ resident }) => resident);
    memory.set(candidate, { heap: median(heap), resident: median(resident), growth: growth(samples) });
  }
  const raw = memory.get('rawLoop');
  if (!raw) throw new Error('The raw loop was not measured.');
  printTable(
    `Memory over ${MESSAGES} messages: the median of ${MESSAGES / SAMPLE_EVERY} samples, and the growth of the heap`,
    ['', 'heap', 'resident', 'vs. raw loop', 'bytes per message'],
    [...memory].map(([name, { heap, resident, growth }]) => [
      candidates[name].title,
      show(heap / 1e6, 'MB'),
      show(resident / 1e6, 'MB'),
      show(resident / raw.resident),
      show(growth),
    ]),
  );
  return [...memory]
    .slice(1)
    .flatMap(([name, { resident, growth }]) => [
      atMost(`memory, ${name}, heap growth per message`, growth, 1, 'bytes'),
      atMost(`memory, ${name}, resident, vs. raw loop`, resident / raw.resident, 1.2),
    ]);
}

/** Runs in its own process. */
export async function sample({ candidate }: { readonly candidate: CandidateName }): Promise<Sample[]> {
  // A few more, so that even the last receive finds messages.
  const stub = await startStub(0, MESSAGES + 1_000);
  const samples: Sample[] = [];
  const end = new AbortController();
  let messages = 0;
  const handle = () => {
    messages += 1;
    if (messages % SAMPLE_EVERY !== 0 || messages > MESSAGES) return;
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    samples.push({ messages, heap: heapUsed, resident: rss });
    if (messages === MESSAGES) end.abort();
  };
  const run = await candidates[candidate].load();
  await run({ stub, handle, end: end.signal });
  await stub.stop();
  return samples;
}

/** The growth of the heap in bytes per message, from the first half of the samples to the second. */
function growth(samples: readonly Sample[]): number {
  const half = samples.length / 2;
  const heap = samples.map(({ heap }) => heap);
  return (median(heap.slice(half)) - median(heap.slice(0, half))) / (MESSAGES / 2);
}
