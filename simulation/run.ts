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
import { parseArgs } from 'node:util';
import { countCoverage } from './coverage.ts';
import { INVARIANTS } from './ledger.ts';
import { describe, replay, simulate } from './simulate.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, worlds: { type: 'string' }, replay: { type: 'string' } },
});

if (values.replay === undefined) await run();
else await show(numberOf('replay', values.replay));

async function run(): Promise<void> {
  const seed = numberOf('seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 31)));
  const worlds = numberOf('worlds', values.worlds ?? '1000');
  const coverage = await countCoverage();
  const startedAt = performance.now();
  const simulated = await simulate(seed, (count) => count < worlds);
  const minutes = (performance.now() - startedAt) / 60_000;
  console.log(describe(simulated, seed).join('\n'));
  console.log(`${Math.round(simulated.worlds / minutes).toLocaleString('en-US')} worlds a minute`);
  console.log((await coverage()).join('\n'));
  if (!simulated.failed) return;
  process.exitCode = 1;
  await show(simulated.failed.seed);
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
  const { containers, messages, faults } = plan;
  const lists = `${containers.length} containers, ${messages.length} messages, ${faults.length} faults`;
  console.log(
    `\nThe world of seed ${seed}, as small as possible (${plan.broker}${plan.fifo ? ', FIFO' : ''}; ${lists}):`,
  );
  console.log(JSON.stringify({ settings: plan.settings, containers, messages, faults }));
  console.log(`\n${timeline.join('\n')}\n\n${INVARIANTS[violation.invariant]}. But ${violation.text}.`);
  console.log(`\nAgain: npm run simulate -- --replay ${seed}`);
}

function numberOf(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  console.error(`--${option} is ${text}; expected a whole number.`);
  process.exit(64);
}
