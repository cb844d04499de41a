/** `sqs-queues wait`: waits until queues are empty. */
import type { BrokerError } from '../../brokers/errors.ts';
import { type ExitCode, exitCodes, UsageError } from '../../host/exit-codes.ts';
import { printable } from '../../message/log-lines.ts';
import { messagesIn } from '../../queues/queue-status.ts';
import { type CountedQueue, queueCounter, waitUntilEmpty } from '../../queues/wait-until-empty.ts';
import { COMMAND, type Command, type CommandContext, positionals } from '../command.ts';
import { value } from '../command-line.ts';
import { count, duration } from '../option-values.ts';
import { Progress } from '../progress.ts';
import { describeCounts, formatSeconds, print, printJson } from '../terminal.ts';

interface Wait {
  readonly queues: readonly string[];
  readonly cycles: number;
  readonly every: number;
  readonly timeout?: number;
}

export const wait: Command = (parser, choose) =>
  parser.command(
    'wait [queues..]',
    'Wait until queues are empty',
    (command) =>
      command
        .positional('queues', {
          type: 'string',
          array: true,
          describe: "Default: the queues in the ini file's queue option",
        })
        .option('cycles', {
          ...value("How many counts in a row must find them empty, because SQS's counts are approximate"),
          default: '3',
        })
        .option('every', { ...value('The time between counts'), default: '5s' })
        .option('timeout', value('Give up after this long, with exit code 75; default: never')),
    ({ timeout, ...given }) => {
      const wanted: Wait = {
        queues: positionals(given, given.queues),
        cycles: count('cycles', given.cycles),
        every: duration('every', given.every),
        ...(timeout !== undefined && { timeout: duration('timeout', timeout) }),
      };
      choose(wanted, run);
    },
  );

async function run({ cycles, every, timeout, ...given }: Wait, context: CommandContext): Promise<ExitCode> {
  const names =
    given.queues.length > 0 ? given.queues.map((name) => context.fullName(name)) : context.handled;
  if (names.length === 0) throw new UsageError(COMMAND, 'Name a queue, or pass an ini file (-c).');
  const progress = new Progress();
  const startedAt = performance.now();
  let last: readonly CountedQueue[] = [];
  let outage: BrokerError | undefined;
  const onCounts = (found: readonly CountedQueue[]) => {
    if (outage) complainAbout('The broker is responding again.');
    outage = undefined;
    progress.show(found.reduce((sum, counts) => sum + messagesIn(counts), 0));
    if (!context.json && !process.stderr.isTTY) printChanges(last, found);
    last = found;
  };
  const onOutage = (error: BrokerError) => {
    progress.end();
    complainAbout(`${error.message} Waiting until it responds again.`);
    outage = error;
  };
  let isEmpty: boolean;
  try {
    const countAll = queueCounter(await context.broker(), names, context.configured);
    isEmpty = await waitUntilEmpty(countAll, { cycles, every, timeout, onCounts, onOutage });
  } finally {
    progress.end();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  if (context.json) printJson({ empty: isEmpty, seconds: Math.round(seconds), queues: last });
  else if (isEmpty) print(`Empty: ${names.join(', ')}`);
  if (isEmpty) return exitCodes.done;
  complainAbout(`Not empty after ${formatSeconds(seconds)}: ${outage?.message ?? describeLeft(last)}`);
  return exitCodes.unfinished;
}

function describeLeft(found: readonly CountedQueue[]): string {
  const left = found.filter((counts) => messagesIn(counts) > 0).map(describe);
  return left.length > 0 ? left.join('; ') : 'empty now, but not for enough counts in a row';
}

function complainAbout(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

/** Prints a line for each queue whose counts changed. */
function printChanges(before: readonly CountedQueue[], now: readonly CountedQueue[]): void {
  for (const [index, found] of now.entries()) {
    const line = describe(found);
    if (!before[index] || describe(before[index]) !== line) print(line);
  }
}

function describe(found: CountedQueue): string {
  return `${found.queue} has ${describeCounts(found)}`;
}
