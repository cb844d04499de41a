/** `sqs-queues redrive`: sends messages back to where they can be handled again. */
import type { Argv } from 'yargs';
import type { Filter } from '../../queues/redriving.ts';
import type { Command } from '../command.ts';
import { flag, repeatable, value } from '../option-kinds.ts';
import { UsageError } from '../usage-error.ts';
import { COMMAND, count, duration, pair } from '../values.ts';
import { redriveLog } from './redrive-log.ts';
import { redriveQueue } from './redrive-queue.ts';

/** What is to be moved, and where to. */
export interface Redrive {
  /** The dead-letter queue. */
  readonly queue?: string;
  readonly to?: string;
  readonly filter: Filter;
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
      if (from === undefined) choose(wanted, redriveQueue);
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
