/** `sqs-queues create`: makes a queue, or changes its settings. */
import type { Argv } from 'yargs';
import type { CreateOptions } from '../../brokers/broker.ts';
import { type ExitCode, exitCodes, UsageError } from '../../host/exit-codes.ts';
import { COMMAND, type Command, type CommandContext } from '../command.ts';
import { value } from '../command-line.ts';
import { count, seconds } from '../option-values.ts';
import { print, printJson } from '../terminal.ts';

interface Create {
  readonly queue: string;
  readonly options: CreateOptions;
}

export const create: Command = (parser, choose) =>
  parser.command('create <queue>', 'Make a queue, or change its settings', options, (given) => {
    const { queue, visibilityTimeout, delay, retention, contentBasedDeduplication } = given;
    const { deadLetterQueue, maxReceives } = given;
    if ((deadLetterQueue === undefined) !== (maxReceives === undefined)) {
      throw new UsageError(
        COMMAND,
        '--dead-letter-queue and --max-receives go together: give both or neither.',
      );
    }
    const settings: CreateOptions = {
      ...(visibilityTimeout !== undefined && {
        visibilityTimeout: seconds('visibility-timeout', visibilityTimeout),
      }),
      ...(delay !== undefined && { delaySeconds: seconds('delay', delay) }),
      ...(retention !== undefined && { retentionSeconds: seconds('retention', retention) }),
      ...(contentBasedDeduplication !== undefined && { contentBasedDeduplication }),
      ...(deadLetterQueue !== undefined &&
        maxReceives !== undefined && {
          deadLetterQueue: { name: deadLetterQueue, maxReceives: count('max-receives', maxReceives) },
        }),
    };
    choose({ queue, options: settings }, run);
  });

function options<Given>(command: Argv<Given>) {
  return command
    .positional('queue', {
      type: 'string',
      demandOption: true,
      describe: 'Its name; .fifo at the end makes it FIFO',
    })
    .option('visibility-timeout', value('Seconds that a received message stays invisible (default 30)'))
    .option('delay', value('Seconds before a sent message can be received (default 0)'))
    .option('retention', value('Seconds that a message is kept (default: 4 days on SQS, else for ever)'))
    .option('dead-letter-queue', value('Where a message goes that was received too often'))
    .option('max-receives', value('How often a message is received before it goes there'))
    .option('content-based-deduplication', {
      type: 'boolean',
      describe: 'FIFO: equal bodies are the same message',
    });
}

async function run(
  { options: { deadLetterQueue, ...settings }, ...given }: Create,
  context: CommandContext,
): Promise<ExitCode> {
  const queue = context.fullName(given.queue);
  const target = deadLetterQueue && { ...deadLetterQueue, name: context.fullName(deadLetterQueue.name) };
  const broker = await context.brokerToFill();
  await broker.create(queue, { ...settings, ...(target && { deadLetterQueue: target }) });
  if (context.json) printJson({ queue });
  else print(`The queue ${queue} is there, in ${broker.description}`);
  return exitCodes.done;
}
