/** `sqs-queues redrive`: moves failed messages back to where they can be handled again. */
import type { Argv } from 'yargs';
import { type ExitCode, exitCodes, UsageError } from '../../host/exit-codes.ts';
import { openExisting } from '../../queues/open-queue.ts';
import {
  type MessageFilter,
  type RedriveReport,
  redriveQueue,
  redriveTargets,
  UnclearTargetError,
} from '../../queues/redrive.ts';
import { sendMessages } from '../../queues/send-messages.ts';
import { COMMAND, type Command, type CommandContext } from '../command.ts';
import { flag, repeatable, value } from '../command-line.ts';
import { bodiesOf, count, duration, pair } from '../option-values.ts';
import { Progress } from '../progress.ts';
import { countOf, interruptible, print, printJson } from '../terminal.ts';

/** Which messages to move, and where. */
interface Redrive {
  /** The dead-letter queue. */
  readonly queue?: string;
  readonly to?: string;
  readonly filter: MessageFilter;
  readonly limit?: number;
  readonly isDryRun: boolean;
}

const ABOUT = `Move the messages in a dead-letter queue back to their queue, or send the bodies in a messages log.

Without --to, messages go to the queue that they belong to: the queue of the ini file, or the queue whose redrive policy names the dead-letter queue. Without a filter, SQS moves them itself if it can (StartMessageMoveTask). Otherwise each message is received, sent and then deleted, with its attributes and its message group. Messages that are checked but not moved count as received once more and are returned at the end; on FIFO queues, a message that is not moved blocks the messages behind it in its group.`;

export const redrive: Command = (parser, choose) =>
  parser.command(
    'redrive [queue]',
    'Move dead letters back, or send the bodies in a messages log',
    options,
    (given) => {
      const { queue, to, from, limit, match, attribute = [], olderThan, dryRun } = given;
      if (from !== undefined && queue !== undefined) {
        throw new UsageError(COMMAND, 'Give either a dead-letter queue or --from FILE, not both.');
      }
      if (from !== undefined && (attribute.length > 0 || olderThan !== undefined)) {
        const text =
          'A messages log has bodies only: --attribute and --older-than cannot be used with --from.';
        throw new UsageError(COMMAND, text);
      }
      const wanted: Redrive = {
        ...(queue !== undefined && { queue }),
        ...(to !== undefined && { to }),
        filter: {
          ...(match !== undefined && { text: match }),
          ...(attribute.length > 0 && {
            attributes: attribute.map((text) => pair('attribute', 'name=value', text)),
          }),
          ...(olderThan !== undefined && { olderThan: duration('older-than', olderThan) }),
        },
        ...(limit !== undefined && { limit: count('limit', limit) }),
        isDryRun: dryRun,
      };
      if (from === undefined) choose(wanted, redriveDeadLetters);
      else choose({ ...wanted, from }, redriveLog);
    },
  );

function options<Given>(command: Argv<Given>) {
  return command
    .usage(`$0 redrive [DEAD-LETTER-QUEUE] [--to QUEUE]\n\n${ABOUT}`)
    .positional('queue', {
      type: 'string',
      describe: "The dead-letter queue; default: the ini file's dead_letter_queue",
    })
    .option('to', value('The queue that gets the messages'))
    .option('from', value('Send the bodies in this messages log, one per line; - reads standard input'))
    .option('match', value('Only messages whose body contains this text'))
    .option('attribute', repeatable('Only messages with this attribute, name=value; can be repeated'))
    .option('older-than', value('Only messages sent at least this long ago: 5m, 12h, 2d'))
    .option('limit', value('The maximum number of messages'))
    .option('dry-run', flag('Only print how many messages would be moved'))
    .example('$0 redrive -c worker.ini --dry-run', 'counts the messages that would be moved')
    .example('$0 redrive jobs-dead --to jobs --match timeout', 'moves messages with "timeout" in their body')
    .example('$0 redrive --from messages.log --to jobs', 'sends the messages in a log');
}

/** Moves the messages in a dead-letter queue and prints how many, even if it fails halfway. */
export async function redriveDeadLetters(given: Redrive, context: CommandContext): Promise<ExitCode> {
  const { filter, limit, isDryRun } = given;
  const name = given.queue === undefined ? context.deadLetterQueue : context.fullName(given.queue);
  if (name === undefined) {
    throw new UsageError(
      COMMAND,
      'Name a dead-letter queue, or pass an ini file with a dead_letter_queue (-c).',
    );
  }
  const broker = await context.broker();
  const source = await openExisting(broker, name);
  const to = given.to === undefined ? undefined : context.fullName(given.to);
  if (to === name)
    throw new UsageError(COMMAND, `Cannot move messages from ${name} to itself; name another queue.`);
  const { handled, deadLetterQueue } = context;
  const targets = await redriveTargets(source, { to, handled, deadLetterQueue });
  const progress = new Progress();
  const last: { report?: RedriveReport } = {};
  const onProgress = (report: RedriveReport) => {
    last.report = report;
    progress.show(report.total - report.looked);
  };
  try {
    last.report = await interruptible((signal) =>
      redriveQueue(broker, source, targets, { filter, limit, isDryRun, signal, onProgress }),
    );
  } catch (error) {
    throw error instanceof UnclearTargetError ? unclear(error) : error;
  } finally {
    progress.end();
    if (last.report) tell(last.report, given, name, context);
  }
  if (last.report.failed.length > 0) return exitCodes.unavailable;
  return last.report.isCancelled ? exitCodes.unfinished : exitCodes.done;
}

function unclear({ message, targets }: UnclearTargetError): UsageError {
  const advice = targets.length === 0 ? 'name it with --to QUEUE.' : 'choose one with --to QUEUE.';
  return new UsageError(COMMAND, `${message}: ${advice}`);
}

function tell(report: RedriveReport, given: Redrive, from: string, context: CommandContext): void {
  const { total, looked, moved, failed, isByBroker, isCancelled } = report;
  const { to = 'their original queues' } = report;
  for (const { error } of failed) process.stderr.write(`${error.message}\n`);
  if (!context.json) {
    print(describeMove(report, given, { from, to }));
  } else if (isByBroker) {
    printJson({ from, to, moved, isCancelled });
  } else {
    const counts = given.isDryRun ? { moved: 0, wouldMove: moved } : { moved };
    printJson({ from, to, ...counts, looked, total, failed: failed.length });
  }
}

/** How many messages were moved and, unless the limit was reached, how many could not be checked. */
export function describeMove(
  { total, looked, moved, isByBroker }: Pick<RedriveReport, 'total' | 'looked' | 'moved' | 'isByBroker'>,
  { isDryRun, limit }: Pick<Redrive, 'isDryRun' | 'limit'>,
  { from, to }: { readonly from: string; readonly to: string },
): string {
  if (isByBroker) return `Moved ${countOf(moved, 'message')} from ${from} to ${to}`;
  const moves = `${moved.toLocaleString('en-US')} of ${countOf(total, 'message')} from ${from} to ${to}`;
  const done = isDryRun ? `Would move ${moves}` : `Moved ${moves}`;
  const unseen = total - looked;
  if (unseen <= 0 || (limit !== undefined && moved >= limit)) return done;
  return `${done}; ${countOf(unseen, 'message')} could not be checked`;
}

/** Sends the bodies in a messages log to a queue. */
async function redriveLog(
  given: Redrive & { readonly from: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { from, filter, limit, isDryRun } = given;
  const [to, ...others] = given.to === undefined ? context.handled : [context.fullName(given.to)];
  if (to === undefined || others.length > 0) {
    throw new UsageError(COMMAND, 'Name the queue that gets the messages: --to QUEUE.');
  }
  const { text = '' } = filter;
  // With their index in the log, to name it for a body that is refused.
  const wanted = [...bodiesOf(from).entries()].filter(([, body]) => body.includes(text)).slice(0, limit);
  const broker = await context.broker();
  const queue = await openExisting(broker, to);
  if (isDryRun) {
    if (context.json) printJson({ to, moved: 0, wouldMove: wanted.length });
    else print(`Would send ${countOf(wanted.length, 'message')} from ${from} to ${to}`);
    return exitCodes.done;
  }
  const progress = new Progress();
  progress.show(wanted.length);
  const messages = wanted.map(([, body]) => ({ body }));
  const { sent, failed } = await sendMessages(broker, queue.name, messages, (done) =>
    progress.show(wanted.length - done),
  ).finally(() => progress.end());
  for (const { position, error } of failed) {
    const line = (wanted[position - 1]?.[0] ?? 0) + 1;
    process.stderr.write(`Message ${line} in ${from}: ${error.message}\n`);
  }
  if (context.json) printJson({ to, moved: sent.length, failed: failed.length });
  else print(`Sent ${sent.length} of ${countOf(wanted.length, 'message')} from ${from} to ${to}`);
  return failed.length > 0 ? exitCodes.unavailable : exitCodes.done;
}
