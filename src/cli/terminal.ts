/** What people see on a terminal, and programs read: lines, tables, questions. */
import { createInterface } from 'node:readline/promises';
import Table from 'cli-table3';

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What programs read. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string | number;
}

/** Rows as a table on a terminal, numbers to the right; tab-separated where a program reads them. */
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
  // Of those who want no colours, Node.js knows more than the table does.
  const border = process.stdout.hasColors?.() ? ['grey'] : [];
  const table = new Table({ head, colAligns, style: { head: [], border } });
  table.push(...cells);
  return table.toString();
}

/** Whether somebody is there to answer a question. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal; anything but a yes is a no. */
export async function ask(question: string): Promise<boolean> {
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
