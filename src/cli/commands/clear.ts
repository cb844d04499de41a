/** `sqs-queues clear`: deletes all messages in queues. */

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
  'Delete all messages in the given queues, including messages in flight (locked by a worker); their workers still finish. On SQS, the counts are approximate, deleting takes up to a minute, and a queue can be cleared only once a minute.';

export const clear: Command = (parser, choose) =>
  parser.command(
    'clear <queues..>',
    'Delete all messages in queues; asks first',
    (command) =>
      command
        .usage(`$0 clear QUEUE…\n\n${ABOUT}`)
        .positional('queues', {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'The names of the queues',
        })
        .option('yes', { alias: 'y', ...flag('Do not ask for confirmation') }),
    (given) => choose({ queues: positionals(given, given.queues), yes: given.yes }, run),
  );

async function run({ yes, ...given }: Clear, context: CommandContext): Promise<ExitCode> {
  const broker = await context.broker();
  const names = [...new Set(given.queues.map((name) => context.fullName(name)))];
  // Open all queues before clearing any, so that a missing queue stops the command.
  const queues = await Promise.all(names.map((name) => openExisting(broker, name)));
  const counts = await Promise.all(queues.map((queue) => queue.counts()));
  const warning = names.map((name, index) => `${name} has ${describeCounts(counts[index]!)}.`).join('\n');
  const question = 'Delete all of them?';
  if (!(await confirm({ warning, question, otherwise: 'Nothing was deleted.' }, yes))) return exitCodes.usage;
  const cleared = [];
  try {
    for (const [index, queue] of queues.entries()) {
      await queue.purge();
      const { inFlight } = counts[index]!;
      cleared.push({ queue: queue.name, deleted: messagesIn(counts[index]!), inFlight });
    }
  } finally {
    // Report the cleared queues even if a later queue fails.
    if (context.json) printJson(cleared);
    else for (const { queue, deleted, inFlight } of cleared) print(describeCleared(queue, deleted, inFlight));
  }
  return exitCodes.done;
}

function describeCleared(queue: string, deleted: number, inFlight: number): string {
  const done = `Deleted ${countOf(deleted, 'message')} from ${queue}`;
  if (inFlight === 0) return `${done}.`;
  return `${done}; ${inFlight} of them ${inFlight === 1 ? 'was' : 'were'} in flight and may still be handled.`;
}
