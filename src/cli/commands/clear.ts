/** `sqs-queues clear`: deletes all messages of queues. */

import { type ExitCode, exitCodes } from '../../host/exit-codes.ts';
import { openExisting } from '../../queues/open-queue.ts';
import { messagesIn } from '../../queues/queue-status.ts';
import { type Command, type CommandContext, positionals } from '../command.ts';
import { flag } from '../command-line.ts';
import { confirm, countOf, describeCounts, print, printJson } from '../terminal.ts';

interface Clear {
  readonly queues: readonly string[];
  readonly yes: boolean;
}

const ABOUT =
  'Delete all messages of queues. Those in flight (locked by a worker) go, too, but their workers still finish them. On SQS the counts are approximate, it takes up to a minute, and a queue can be cleared once a minute.';

export const clear: Command = (parser, choose) =>
  parser.command(
    'clear <queues..>',
    'Delete all messages of queues; asks first',
    (command) =>
      command
        .usage(`$0 clear QUEUE…\n\n${ABOUT}`)
        .positional('queues', { type: 'string', array: true, demandOption: true, describe: 'Their names' })
        .option('yes', { alias: 'y', ...flag('Do not ask') }),
    (given) => choose({ queues: positionals(given, given.queues), yes: given.yes }, run),
  );

async function run({ yes, ...given }: Clear, context: CommandContext): Promise<ExitCode> {
  const broker = await context.broker();
  const names = [...new Set(given.queues.map((name) => context.fullName(name)))];
  // All of them are looked up before any is touched.
  const queues = await Promise.all(names.map((name) => openExisting(broker, name)));
  const counts = await Promise.all(queues.map((queue) => queue.counts()));
  const warning = names.map((name, index) => `${name} has ${describeCounts(counts[index]!)}.`).join('\n');
  const question = 'Delete all of that?';
  if (!(await confirm({ warning, question, otherwise: 'Nothing was deleted.' }, yes))) return exitCodes.usage;
  const cleared = [];
  try {
    for (const [index, queue] of queues.entries()) {
      await queue.purge();
      const { inFlight } = counts[index]!;
      cleared.push({ queue: queue.name, deleted: messagesIn(counts[index]!), inFlight });
    }
  } finally {
    // What went is said also if the next one fails.
    if (context.json) printJson(cleared);
    else for (const { queue, deleted, inFlight } of cleared) print(describeCleared(queue, deleted, inFlight));
  }
  return exitCodes.done;
}

function describeCleared(queue: string, deleted: number, inFlight: number): string {
  const gone = `Deleted ${countOf(deleted, 'message')} of ${queue}`;
  if (inFlight === 0) return `${gone}.`;
  return `${gone}; ${inFlight} of them ${inFlight === 1 ? 'was' : 'were'} in flight, and may still be handled.`;
}
