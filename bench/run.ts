/** Runs the benches named on the command line, or all, and prints one table at the end: npm run bench -- sequential */
import { cpus, loadavg } from 'node:os';
import { type Bench, type Finding, printFindings, show } from './report.ts';

const all = [
  'saturated',
  'sequential',
  'ten-at-once',
  'idle',
  'memory',
  'producer',
  'test-container',
  'prefetch',
  'scaling',
  'requests',
  'start',
  'status',
  'tasks',
  'brokers',
];
const named = process.argv.slice(2);

const load = () =>
  loadavg()
    .map((value) => show(value))
    .join(' ');
console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, load ${load()}`);
const findings: Finding[] = [];
for (const name of named.length > 0 ? named : all) {
  const { bench } = (await import(`./${name}.ts`)) as { bench: Bench };
  findings.push(...(await bench()));
}
printFindings(findings);
console.log(`Load at the end: ${load()}`);
