/** Reports on runs: a table of all runs and, for a failed run, its seed, its timeline, and the history of its messages. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableOf } from '../harness/report.ts';
import { type LedgerLine, readLedger } from './ledger.ts';
import type { Trial, TrialOptions } from './trial.ts';
import type { ExplainedRepeat } from './verdict.ts';

/** The maximum number of messages to report in full. */
const MOST_STORIES = 10;

export function overviewOf(trials: readonly Trial[]): string {
  const head = [
    '',
    'broker',
    'faults',
    'acknowledged',
    'handled',
    'lost',
    'deleted unhandled',
    'out of order',
    'repeats',
    'unexplained',
    'left',
  ];
  const rows = trials.map((trial) => [
    trial.options.subject,
    trial.options.broker,
    faultsOf(trial.options),
    trial.acknowledged,
    trial.handled,
    trial.lost.length,
    trial.deletedUnhandled.length,
    trial.orderViolations.length,
    trial.repeats.length,
    unexplained(trial).length,
    trial.left,
  ]);
  return tableOf(
    head,
    rows.map((cells) => cells.map(String)),
  );
}

/** A summary of one run. */
export function summaryOf(trial: Trial): string {
  const { options, sent, acknowledged, handled, unexpectedExits, drains, leftOut, history, good } = trial;
  const { subject, broker, seed, processes } = options;
  const minutes = ((history.now() - history.startedAt) / 60_000).toFixed(1);
  return [
    `${good ? 'good' : 'FAILED'}: ${subject} on ${broker}, seed ${seed}, ${faultsOf(options)}, ${processes} ${processes === 1 ? 'process' : 'processes'}, ${minutes} minutes in total`,
    `  ${sent} sent, ${acknowledged} acknowledged, ${handled} handled; ${incidentsOf(trial)}`,
    `  lost ${trial.lost.length}, deleted unhandled ${trial.deletedUnhandled.length}, out of order ${trial.orderViolations.length}, left ${trial.left}, drains ${drains}, unexpected exits ${unexpectedExits}`,
    `  repeats ${trial.repeats.length}: ${causesOf(trial.repeats)}`,
    ...leftOut.map((text) => `  skipped: ${text}`),
  ].join('\n');
}

/** Everything that can help to find out why a run failed. */
export function storyOf(trial: Trial): string {
  const { history, options } = trial;
  const seconds = (at: number) => ((at - history.startedAt) / 1000).toFixed(3).padStart(9);
  const ledger = readLedger(join(options.folder, 'ledger'));
  const concerned = [
    ...trial.lost,
    ...trial.deletedUnhandled,
    ...trial.orderViolations.flatMap(({ number, before }) => [before, number]),
    ...unexplained(trial).map(({ again }) => again.number),
  ];
  const numbers = [...new Set(concerned)].slice(0, MOST_STORIES);
  const lines = [
    ...history.notes.map(({ at, text }) => ({ at, text })),
    ...ledger
      .filter(({ number }) => numbers.includes(number))
      .map((line) => ({ at: line.at, text: describe(line) })),
  ].sort((one, other) => one.at - other.at);
  return [
    `Timeline, in seconds, with the messages ${numbers.join(', ') || '(none)'}${concerned.length > numbers.length ? ' and others' : ''}:`,
    ...lines.map(({ at, text }) => `${seconds(at)}  ${text}`),
    ...logLinesOf(
      options.folder,
      ledger.filter(({ number }) => numbers.includes(number)),
    ),
    `All files are in ${options.folder}`,
    `To repeat: npm run chaos -- ${againWith(options)}`,
  ].join('\n');
}

/** The command-line options that repeat the run. */
function againWith({ subject, broker, seed, seconds, processes, messages, sigterms, ...more }: TrialOptions) {
  const words = [`--subject ${subject} --broker ${broker} --seed ${seed}`];
  if (sigterms === undefined) words.push(`--seconds ${seconds} --processes ${processes}`);
  else words.push(`--only sigterm --times ${sigterms}`);
  words.push(`--visibility-timeout ${more.visibilityTimeout}`);
  if (messages !== undefined) words.push(`--messages ${messages}`);
  return words.join(' ');
}

function faultsOf({ seconds, sigterms }: TrialOptions): string {
  return sigterms === undefined ? `${seconds} s of faults` : `${sigterms} SIGTERMs`;
}

function unexplained({ repeats }: Trial): ExplainedRepeat[] {
  return repeats.filter(({ cause }) => cause === undefined);
}

function incidentsOf({ history }: Trial): string {
  const counts = Map.groupBy(history.incidents, ({ what }) => what);
  return [...counts].map(([what, all]) => `${what} ${all.length}`).join(', ') || 'no incidents';
}

/** For each kind of incident: how many repeats it caused, in how many incidents, and the maximum in a single incident. */
function causesOf(repeats: readonly ExplainedRepeat[]): string {
  const causes = Map.groupBy(repeats, ({ cause }) => cause?.what ?? 'UNEXPLAINED');
  const texts = [...causes].map(([what, all]) => {
    const each = [...Map.groupBy(all, ({ cause }) => cause).values()].map(({ length }) => length);
    return `${what} ${all.length} (in ${each.length}, at most ${Math.max(...each)} in one)`;
  });
  return texts.join(', ') || 'none';
}

function describe({ event, pid, number, receiveCount }: LedgerLine): string {
  return `    message ${number}: ${event}, process ${pid}, receive ${receiveCount}`;
}

/** The log lines of the processes about these messages. */
function logLinesOf(folder: string, ledger: readonly LedgerLine[]): string[] {
  const ids = new Map(ledger.map(({ id, number }) => [id, number]));
  if (ids.size === 0) return [];
  const processes = join(folder, 'processes');
  return readdirSync(processes)
    .filter((name) => name.endsWith('.log'))
    .flatMap((name) =>
      readFileSync(join(processes, name), 'utf8')
        .split('\n')
        .flatMap((line) => {
          const id = [...ids.keys()].find((each) => line.includes(each));
          return id === undefined ? [] : [`  ${name}, message ${ids.get(id)}: ${line}`];
        }),
    );
}
