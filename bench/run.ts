/**
 * Runs benchmarks and prints a summary table at the end: `npm run bench` runs all of them, `npm run bench -- saturated idle`
 * runs these two, `npm run bench -- brokers` runs those in `brokers/`, and `npm run bench -- --help` lists them.
 */
import { cpus, loadavg } from 'node:os';
import { type Bench, type Finding, printFindings, show } from '../harness/report.ts';

/** In the order in which they run. Each is a file of the same name that exports `bench`. */
const BENCHES: Readonly<Record<string, string>> = {
  saturated: 'a full queue and a handler that does nothing: API calls and CPU time per message',
  sequential: 'one CPU-bound handler at a time: how close to the handler alone',
  'ten-at-once': 'ten slots, a few slow messages: whether a slot waits for the slowest',
  idle: 'an empty queue: receive calls per hour, and how soon a message is handled',
  memory: 'heap and resident memory over 500,000 messages (takes minutes)',
  producer: 'a thousand calls sent together: API calls and messages per second',
  'test-container': 'the test container: messages per second',
  prefetch: 'two processes on one queue: whether each gets its share',
  scaling: 'up to a thousand containers, simulated: cost, waits, bursts, deploys, outages',
  requests: 'the four requests of SQS, from the SDK to bare HTTP: CPU time',
  start: 'from the start of a process to its first receive (needs `npm run build`)',
  status: 'the cost of the status server',
  tasks: 'the cost of a task, compared with a plain call',
  'brokers/speed': 'sending, receiving and deleting, compared with other queues on the same store',
  'brokers/waiting': 'a receive with a million messages waiting, compared with a thousand',
  'brokers/fairness': 'two processes on one queue file: whether each gets its share',
  'brokers/processes': 'processes = 2 on one queue file, CPU-bound handlers (needs `npm run build`)',
  'brokers/wake-up': 'how soon a long poll returns a message from another process',
};
const USAGE = 64;

/** The benchmarks for a name on the command line: one benchmark, or all in a folder. */
function benchesOf(name: string): string[] {
  return Object.keys(BENCHES).filter((bench) => bench === name || bench.startsWith(`${name}/`));
}

function list(): string {
  const lines = Object.entries(BENCHES).map(([name, what]) => `  ${name.padEnd(18)} ${what}`);
  return ['Benchmarks (npm run bench -- NAME …; without a name, all of them):', ...lines].join('\n');
}

async function run(benches: readonly string[]): Promise<void> {
  const load = () =>
    loadavg()
      .map((value) => show(value))
      .join(' ');
  console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, load ${load()}`);
  const findings: Finding[] = [];
  for (const name of benches) {
    const { bench } = (await import(`./${name}.ts`)) as { bench: Bench };
    findings.push(...(await bench()));
  }
  printFindings(findings);
  console.log(`Load at the end: ${load()}`);
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => benchesOf(name).length === 0);
if (names.includes('--help')) {
  console.log(list());
} else if (unknown.length > 0) {
  console.error(`Unknown benchmark ${unknown.map((name) => `"${name}"`).join(', ')}.\n${list()}`);
  process.exitCode = USAGE;
} else {
  await run(names.length > 0 ? names.flatMap(benchesOf) : Object.keys(BENCHES));
}
