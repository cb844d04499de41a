/** Tries to break the containers and reports whether it succeeded: npm run chaos -- --help */
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { available, BROKERS, type BrokerName } from '../harness/brokers.ts';
import { overviewOf, storyOf, summaryOf } from './report.ts';
import { judgeSoak, runSoak } from './soak.ts';
import { SUBJECTS, type Subject } from './subjects.ts';
import { runTrial, type Trial, type TrialOptions } from './trial.ts';

const root = mkdtempSync(join(tmpdir(), 'chaos-'));
// The first signal stops the faults, and the run finishes as usual; a second signal kills the process.
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort());
const brokerOption = (brokers: string) =>
  ({
    type: 'string',
    default: brokers,
    describe: 'brokers to test, one after the other',
    coerce: brokersOf,
  }) as const;
await yargs(hideBin(process.argv))
  .scriptName('npm run chaos --')
  .command(
    '$0',
    'several containers, two queues, and random faults (run `npm run build` first)',
    (command) =>
      command.options({
        broker: brokerOption(BROKERS.join(',')),
        subject: {
          choices: SUBJECTS,
          default: SUBJECTS[0] as Subject,
          describe: 'the library to test; all except sqs-containers need SQS',
        },
        seconds: { type: 'number', default: 60, describe: 'how long to inject faults, for each broker' },
        seed: { type: 'number', describe: 'seed of the random faults; default: random' },
        processes: { type: 'number', default: 3 },
        messages: { type: 'number', describe: 'how many messages to send; default: as many as time allows' },
        visibilityTimeout: { type: 'number', default: 4, describe: 'in seconds' },
        only: { choices: ['sigterm'], describe: 'one process, and no faults except repeated SIGTERMs' },
        times: { type: 'number', default: 1000, describe: 'with --only sigterm: how many drains' },
      }),
    ({ broker, subject, seconds, seed = randomInt(2 ** 31), processes, messages, ...more }) => {
      const { visibilityTimeout } = more;
      const sigterms = more.only === 'sigterm' ? more.times : undefined;
      const common = { subject, seconds, seed, messages, visibilityTimeout, sigterms };
      return chaos(broker, { ...common, processes: sigterms === undefined ? processes : 1 });
    },
  )
  .command(
    'soak',
    'a million messages without faults: memory and handles must not grow',
    (command) =>
      command.options({ broker: brokerOption('sqlite'), messages: { type: 'number', default: 1_000_000 } }),
    ({ broker, messages }) => soak(broker, messages),
  )
  .strict()
  .parseAsync();
// Keep the files of a failed run for inspection.
if (!process.exitCode) rmSync(root, { recursive: true });

async function chaos(
  brokers: readonly BrokerName[],
  options: Omit<TrialOptions, 'broker' | 'folder' | 'signal'>,
): Promise<void> {
  const trials: Trial[] = [];
  for (const broker of available(brokers)) {
    if (interrupted.signal.aborted) break;
    const trial = await runTrial({
      ...options,
      broker,
      folder: folderFor(broker),
      signal: interrupted.signal,
    });
    console.log(summaryOf(trial));
    if (!trial.good) {
      console.log(storyOf(trial));
      process.exitCode = 1;
    }
    trials.push(trial);
  }
  console.log(overviewOf(trials));
}

async function soak(brokers: readonly BrokerName[], messages: number): Promise<void> {
  for (const broker of available(brokers)) {
    const result = await runSoak({ broker, messages, folder: folderFor(broker) });
    const { good, lines } = judgeSoak(result);
    const rate = Math.round(messages / result.seconds);
    console.log(`${good ? 'good' : 'FAILED'}: soak on ${broker}, ${messages} messages, ${rate} per second`);
    for (const line of lines) console.log(`  ${line}`);
    if (!good) process.exitCode = 1;
  }
}

function folderFor(broker: BrokerName): string {
  const folder = join(root, broker);
  mkdirSync(folder);
  return folder;
}

function brokersOf(list: string): BrokerName[] {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !BROKERS.some((broker) => broker === name));
  if (unknown !== undefined) throw new Error(`Unknown broker "${unknown}"; expected ${BROKERS.join(', ')}.`);
  return names as BrokerName[];
}
