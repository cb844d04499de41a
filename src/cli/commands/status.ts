/** `sqs-queues status`: shows how many messages are in queues. */

import { exitCodes } from '../../host/exit-codes.ts';
import { type QueueStatus, queueStatus } from '../../queues/queue-status.ts';
import { type Command, type CommandContext, positionals } from '../command.ts';
import { type Column, formatSeconds, formatTable, print, printJson } from '../terminal.ts';

export const status: Command = (parser, choose) =>
  parser.command(
    'status [queues..]',
    'Count the messages in queues: visible, in flight, delayed, dead letters',
    (command) =>
      command.positional('queues', {
        type: 'string',
        array: true,
        describe: "Default: the ini file's queues and its dead-letter queue, else all",
      }),
    (given) => choose({ queues: positionals(given, given.queues) }, run),
  );

async function run({ queues }: { readonly queues: readonly string[] }, context: CommandContext) {
  const { configured, handled, deadLetterQueue } = context;
  const broker = await context.broker();
  const rows = await queueStatus(
    broker,
    queues.length > 0 ? queues.map((name) => context.fullName(name)) : configured,
    { queues: handled, deadLetterQueue },
  );
  if (context.json) printJson(rows);
  else if (rows.length === 0 && process.stdout.isTTY) print(`There are no queues in ${broker.description}.`);
  else print(formatTable(rows, columnsFor(rows, Date.now(), process.stdout.isTTY)));
  return exitCodes.done;
}

/** On a terminal, the columns for the oldest message and the dead letters appear only if some queue has a value. */
export function columnsFor(
  rows: readonly QueueStatus[],
  now: number,
  isTerminal: boolean,
): Column<QueueStatus>[] {
  const isWanted = (key: 'oldestSentAt' | 'deadLetters') =>
    !isTerminal || rows.some((row) => row[key] !== undefined);
  return [
    { head: 'queue', cell: ({ queue }) => queue },
    { head: 'visible', cell: ({ visible }) => visible },
    { head: 'in flight', cell: ({ inFlight }) => inFlight },
    { head: 'delayed', cell: ({ delayed }) => delayed },
    ...(isWanted('oldestSentAt') ? [{ head: 'oldest', cell: (row: QueueStatus) => age(row, now) }] : []),
    ...(isWanted('deadLetters') ? [{ head: 'dead letters', cell: deadLettersOf }] : []),
  ];
}

function age({ oldestSentAt }: QueueStatus, now: number): string {
  return oldestSentAt === undefined ? '' : formatSeconds((now - oldestSentAt) / 1000);
}

function deadLettersOf({ deadLetters }: QueueStatus): string {
  return deadLetters ? `${deadLetters.messages} in ${deadLetters.queue}` : '';
}
