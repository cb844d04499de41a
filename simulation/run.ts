/**
 * The simulator's command line:
 *
 *     npm run simulate                                  # 1,000 worlds from a random seed
 *     npm run simulate -- --seed 4711 --worlds 10000
 *     npm run simulate -- --replay 4711                 # one world, as small as possible, with its timeline
 *     node --inspect-brk simulation/run.ts --replay 4711    # stops in the debugger where the invariant fails
 *
 * Exits with 1 if an invariant fails that is not a known fault.
 */
import { readdirSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { INVARIANTS } from './invariants.ts';
import { describe, replay, simulate } from './simulate.ts';

const SOURCE = fileURLToPath(new URL('../src', import.meta.url));
/** The folders of the source whose code worlds run. */
const FOLDERS = [
  'consumer',
  'supervisor',
  'host/crashes',
  'brokers/memory',
  'brokers/sql',
  'queues',
  'worker',
];

const { values } = parseArgs({
  options: { seed: { type: 'string' }, worlds: { type: 'string' }, replay: { type: 'string' } },
});
if (values.replay === undefined) await run();
else await show(numberOf('replay', values.replay));

async function run(): Promise<void> {
  const seed = numberOf('seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 31)));
  const worlds = numberOf('worlds', values.worlds ?? '1000');
  const profiler = new Session();
  profiler.connect();
  await profiler.post('Profiler.enable');
  await profiler.post('Profiler.startPreciseCoverage', { callCount: false, detailed: false });
  const startedAt = performance.now();
  const simulated = await simulate(seed, (count) => count < worlds);
  const minutes = (performance.now() - startedAt) / 60_000;
  const { result } = await profiler.post('Profiler.takePreciseCoverage');
  profiler.disconnect();
  console.log(describe(simulated, seed).join('\n'));
  console.log(`${Math.round(simulated.worlds / minutes).toLocaleString('en-US')} worlds a minute`);
  for (const folder of FOLDERS) console.log(coverageOf(folder, result));
  if (!simulated.failed) return;
  process.exitCode = 1;
  await show(simulated.failed.seed);
}

/** Which files and functions of a folder ran, so that a green result is not believed too easily. */
function coverageOf(folder: string, scripts: readonly Profiler.ScriptCoverage[]): string {
  const files = readdirSync(`${SOURCE}/${folder}`).filter((name) => name.endsWith('.ts'));
  const counted = files.map((name) => {
    const script = scripts.find(({ url }) => url === `file://${SOURCE}/${folder}/${name}`);
    const named = script?.functions.filter(({ functionName }) => functionName !== '') ?? [];
    return { name, all: named.length, ran: named.filter(({ ranges }) => ranges[0]!.count > 0).length };
  });
  const notRun = counted.filter(({ all, ran }) => all > 0 && ran === 0).map(({ name }) => name);
  const sum = (key: 'all' | 'ran') => counted.reduce((total, file) => total + file[key], 0);
  const ran = `${sum('ran')} of ${sum('all')} functions in ${files.length - notRun.length} of ${files.length} files`;
  return `src/${folder}: ${ran}${notRun.length > 0 ? `; not ${notRun.join(', ')}` : ''}`;
}

async function show(seed: number): Promise<void> {
  const replayed = await replay(seed, () => {
    // biome-ignore lint/suspicious/noDebugger: this is what --replay under a debugger is for
    debugger;
  });
  if (!replayed) {
    console.log(`Nothing fails in the world of seed ${seed}.`);
    return;
  }
  const { plan, violation, timeline } = replayed;
  const { broker, fifo, settings, containers, messages, faults } = plan;
  const size = `${containers.length} containers, ${messages.length} messages, ${faults.length} faults`;
  console.log(
    `\nThe world of seed ${seed}, as small as possible (${broker}${fifo ? ', FIFO' : ''}; ${size}):`,
  );
  console.log(JSON.stringify({ settings, containers, messages, faults }));
  console.log(`\n${timeline.join('\n')}\n\n${INVARIANTS[violation.invariant]}. But ${violation.text}.`);
  console.log(`\nAgain: npm run simulate -- --replay ${seed}`);
}

function numberOf(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  console.error(`--${option} is ${text}; expected a whole number.`);
  process.exit(64);
}
