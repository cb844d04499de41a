/** `sqs-queues redrive`: sends messages back to where they can be handled again. */
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

/** What is to be moved, and where to. */
interface Redrive {
  /** The dead-letter queue. */
  readonly queue?: string;
  readonly to?: string;
  readonly filter: MessageFilter;
  readonly limit?: number;
  readonly isDryRun: boolean;
}

const ABOUT = `Send messages back: those of a dead-letter queue, or the bodies of a messages log.

Without --to they go to the queue that they belong to: the one of the ini file, or the one whose redrive policy names the dead-letter queue. Without a filter, SQS moves them by itself where it can (StartMessageMoveTask). Otherwise each message is received, sent and then deleted, with its attributes and its message group. What is looked at and not moved counts as received once more, and is given back at the end; on FIFO queues, messages behind one of their group that is not moved are not looked at.`;

export const redrive: Command = (parser, choose) =>
  parser.command(
    'redrive [queue]',
    'Send the messages of a dead-letter queue, or of a messages log, back',
    options,
    (given) => {
      const { queue, to, from, limit, match, attribute = [], olderThan, dryRun } = given;
      if (from !== undefined && queue !== undefined) {
        throw new UsageError(COMMAND, 'Give either a dead-letter queue or --from FILE, not both.');
      }
      if (from !== undefined && (attribute.length > 0 || olderThan !== undefined)) {
        const text = 'A messages log has bodies only: --attribute and --older-than do not go with --from.';
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
    .option('to', value('The queue that gets them'))
    .option('from', value('Send the bodies of this messages log, one a line; - reads standard input'))
    .option('match', value('Only messages whose body contains this text'))
    .option('attribute', repeatable('Only messages with this attribute, name=value; may be repeated'))
    .option('older-than', value('Only messages that were sent at least so long ago: 5m, 12h, 2d'))
    .option('limit', value('At most so many messages'))
    .option('dry-run', flag('Say how many would be moved, and move none'))
    .example('$0 redrive -c worker.ini --dry-run', 'counts what would go back')
    .example('$0 redrive jobs-dead --to jobs --match timeout', 'moves what has "timeout" in its body')
    .example('$0 redrive --from messages.log --to jobs', 'sends what a log has kept');
}

/** Moves the messages of a dead-letter queue, and says how many, also if it fails halfway. */
export async function redriveDeadLetters(given: Redrive, context: CommandContext): Promise<ExitCode> {
  const { filter, limit, isDryRun } = given;
  const name = given.queue === undefined ? context.deadLetterQueue : context.fullName(given.queue);
  if (name === undefined) {
    throw new UsageError(COMMAND, 'Name a dead-letter queue, or with -c an ini file that has one.');
  }
  const broker = await context.broker();
  const source = await openExisting(broker, name);
  const to = given.to === undefined ? undefined : context.fullName(given.to);
  if (to === name) throw new UsageError(COMMAND, `${name} cannot get its own messages; name another queue.`);
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
  const advice = targets.length === 0 ? 'say --to QUEUE.' : 'say which one gets them with --to QUEUE.';
  return new UsageError(COMMAND, `${message}: ${advice}`);
}

function tell(report: RedriveReport, given: Redrive, from: string, context: CommandContext): void {
  const { total, looked, moved, failed, isByBroker, isCancelled } = report;
  const { to = 'the queues that they came from' } = report;
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

/** What was moved, and what could not be looked at although no limit was given. */
export function describeMove(
  { total, looked, moved, isByBroker }: Pick<RedriveReport, 'total' | 'looked' | 'moved' | 'isByBroker'>,
  { isDryRun, limit }: Pick<Redrive, 'isDryRun' | 'limit'>,
  { from, to }: { readonly from: string; readonly to: string },
): string {
  if (isByBroker) return `Moved ${countOf(moved, 'message')} of ${from} to ${to}`;
  const count = `${moved.toLocaleString('en-US')} of ${countOf(total, 'message')}`;
  const done = isDryRun
    ? `${count} of ${from} would be moved to ${to}`
    : `Moved ${count} of ${from} to ${to}`;
  const unseen = total - looked;
  if (unseen <= 0 || (limit !== undefined && moved >= limit)) return done;
  return `${done}; ${countOf(unseen, 'message')} could not be looked at`;
}

/** Sends the bodies of a messages log to a queue. */
async function redriveLog(
  given: Redrive & { readonly from: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { from, filter, limit, isDryRun } = given;
  const [to, ...others] = given.to === undefined ? context.handled : [context.fullName(given.to)];
  if (to === undefined || others.length > 0) {
    throw new UsageError(COMMAND, 'Say which queue gets the messages: --to QUEUE.');
  }
  const { text = '' } = filter;
  // With the index of their lines, to name the line of a body that is refused.
  const wanted = [...bodiesOf(from).entries()].filter(([, body]) => body.includes(text)).slice(0, limit);
  const broker = await context.broker();
  const queue = await openExisting(broker, to);
  if (isDryRun) {
    if (context.json) printJson({ to, moved: 0, wouldMove: wanted.length });
    else print(`${countOf(wanted.length, 'message')} of ${from} would be sent to ${to}`);
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
    process.stderr.write(`Message ${line} of ${from}: ${error.message}\n`);
  }
  if (context.json) printJson({ to, moved: sent.length, failed: failed.length });
  else print(`Sent ${sent.length} of ${countOf(wanted.length, 'message')} of ${from} to ${to}`);
  return failed.length > 0 ? exitCodes.unavailable : exitCodes.done;
}
