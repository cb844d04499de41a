/**
 * Runs benches and prints one table at the end: `npm run bench` runs all of them, `npm run bench -- saturated idle` these
 * two, `npm run bench -- brokers` those whose names begin with `brokers/`, and `npm run bench -- --help` lists them.
 */
import { cpus, loadavg } from 'node:os';
import { type Bench, type Finding, printFindings, show } from '../harness/report.ts';

/** In the order in which they run. The file of each has its name, and exports `bench`. */
const BENCHES: Readonly<Record<string, string>> = {
  saturated: 'a full queue and a handler that does nothing: API calls and CPU time a message',
  sequential: 'one busy handler at a time: how near to what the handler alone can do',
  'ten-at-once': 'ten slots, a few slow messages: whether a slot waits for the slowest',
  idle: 'an empty queue: receive calls an hour, and how soon a message is handled',
  memory: 'heap and resident memory over 500,000 messages (takes minutes)',
  producer: 'a thousand calls sent together: API calls and messages a second',
  'test-container': 'the test container: messages a second',
  prefetch: 'two processes on one queue: whether each gets its share',
  scaling: 'up to a thousand containers, simulated: cost, waits, bursts, deploys, outages',
  requests: 'the four requests of SQS, from the SDK to bare HTTP: CPU time',
  start: 'from the start of a process to its first receive (needs `npm run build`)',
  status: 'what the status server costs',
  tasks: 'what a task costs, compared to a plain call',
  'brokers/speed': 'sending, receiving and deleting, compared to others on the same store',
  'brokers/waiting': 'a receive with a million messages waiting, compared to a thousand',
  'brokers/fairness': 'two processes on one queue file: whether each gets its share',
  'brokers/processes': 'processes = 2 on one queue file, busy handlers (needs `npm run build`)',
  'brokers/wake-up': 'how soon a long poll returns what another process sends',
};
const USAGE = 64;

/** The benches that a name on the command line stands for: its own, or those of a folder. */
function benchesOf(name: string): string[] {
  return Object.keys(BENCHES).filter((bench) => bench === name || bench.startsWith(`${name}/`));
}

function list(): string {
  const lines = Object.entries(BENCHES).map(([name, what]) => `  ${name.padEnd(18)} ${what}`);
  return ['Benches (npm run bench -- NAME …; all without a name):', ...lines].join('\n');
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
  console.error(`There is no bench ${unknown.map((name) => `"${name}"`).join(', ')}.\n${list()}`);
  process.exitCode = USAGE;
} else {
  await run(names.length > 0 ? names.flatMap(benchesOf) : Object.keys(BENCHES));
}
