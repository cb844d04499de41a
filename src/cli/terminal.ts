/** Output for people and programs: lines, tables, counts, times; confirmation questions and Ctrl-C. */
import { createInterface } from 'node:readline/promises';
import Table from 'cli-table3';
import type { QueueCounts } from '../brokers/broker.ts';
import { UsageError } from '../host/exit-codes.ts';
import { messagesIn } from '../queues/queue-status.ts';
import { COMMAND } from './command.ts';

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** For programs: one line of JSON. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string | number;
}

/** Rows as a table on a terminal, with numbers right-aligned; tab-separated for programs. */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  isTerminal = process.stdout.isTTY,
): string {
  const head = columns.map((column) => column.head);
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  if (!isTerminal) return [head, ...cells].map((line) => line.join('\t')).join('\n');
  const isNumber = (index: number) => cells.every((line) => /^[\d.,]+$/.test(String(line[index])));
  const colAligns = columns.map((_, index) => (isNumber(index) ? ('right' as const) : ('left' as const)));
  // Node.js knows more than cli-table3 about when not to use colors.
  const border = process.stdout.hasColors?.() ? ['grey'] : [];
  const table = new Table({ head, colAligns, style: { head: [], border } });
  table.push(...cells);
  return table.toString();
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/**
 * A readable duration, in its two largest units.
 *
 *     formatSeconds(0.4)       // '0 s'
 *     formatSeconds(61)        // '1 min 1 s'
 *     formatSeconds(90_000)    // '1 d 1 h'
 */
export function formatSeconds(seconds: number): string {
  let left = Math.max(0, Math.round(seconds));
  const first = UNITS.findIndex(([, length]) => left >= length);
  if (first < 0) return '0 s';
  const parts: string[] = [];
  for (const [unit, length] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(' ');
}

/**
 *     countOf(1, 'message')        // '1 message'
 *     countOf(1200, 'message')     // '1,200 messages'
 */
export function countOf(count: number, what: string): string {
  return `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`;
}

/**
 *     describeCounts({ visible: 3, inFlight: 1, delayed: 0 })    // '4 messages, 1 of them in flight'
 */
export function describeCounts(counts: QueueCounts): string {
  const parts = [
    ...(counts.inFlight > 0 ? [`${counts.inFlight} of them in flight`] : []),
    ...(counts.delayed > 0 ? [`${counts.delayed} delayed`] : []),
  ];
  return [countOf(messagesIn(counts), 'message'), ...parts].join(', ');
}

/** A question to ask before an action that cannot be undone. */
export interface Confirmation {
  readonly warning: string;
  readonly question: string;
  /** The text to print if the answer is no. */
  readonly otherwise: string;
}

/**
 * Whether to continue: true with --yes, otherwise the answer on the terminal. Throws UsageError without a terminal.
 */
export async function confirm(
  { warning, question, otherwise }: Confirmation,
  yes: boolean,
): Promise<boolean> {
  if (yes) return true;
  if (!canAsk())
    throw new UsageError(COMMAND, `${warning} There is no terminal to ask on; confirm with --yes.`);
  if (await ask(`${warning}\n${question}`)) return true;
  process.stderr.write(`${otherwise}\n`);
  return false;
}

/** Whether someone can answer a question. */
function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal; anything except a yes counts as no. */
async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    return isYes(await Promise.race([terminal.question(`${question} [y/N] `), closed]));
  } finally {
    terminal.close();
  }
}

/**
 *     isYes('Y')      // true
 *     isYes('')       // false
 *     isYes('yep')    // false
 */
export function isYes(answer: string): boolean {
  return /^\s*y(es)?\s*$/i.test(answer);
}

/** Runs `work` with a signal that aborts on SIGINT or SIGTERM; a second SIGINT or SIGTERM kills the process as usual. */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) process.once(name, abort);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of names) process.removeListener(name, abort);
  }
}
