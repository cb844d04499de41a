/** `sqs-queues create`: creates a queue, or updates its settings. */
import type { Argv } from 'yargs';
import type { Broker, CreateOptions } from '../../brokers/broker.ts';
import { BrokerError, QueueNotFoundError } from '../../brokers/errors.ts';
import { type ExitCode, exitCodes, UsageError } from '../../host/exit-codes.ts';
import { openExisting } from '../../queues/open-queue.ts';
import { COMMAND, type Command, type CommandContext } from '../command.ts';
import { value } from '../command-line.ts';
import { count, seconds } from '../option-values.ts';
import { print, printJson } from '../terminal.ts';

interface Create {
  readonly queue: string;
  readonly options: CreateOptions;
}

export const create: Command = (parser, choose) =>
  parser.command('create <queue>', 'Create a queue, or update its settings', options, (given) => {
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
      describe: 'The name of the queue; ends in .fifo for a FIFO queue',
    })
    .option(
      'visibility-timeout',
      value('How long a received message stays invisible, in seconds (default 30)'),
    )
    .option('delay', value('Delay before a sent message can be received, in seconds (default 0)'))
    .option(
      'retention',
      value('How long a message is kept, in seconds (default: 4 days on SQS, otherwise forever)'),
    )
    .option('dead-letter-queue', value('The queue for messages that were received too often'))
    .option(
      'max-receives',
      value('How often a message can be received before it moves to the dead-letter queue'),
    )
    .option('content-based-deduplication', {
      type: 'boolean',
      describe: 'FIFO: messages with the same body are duplicates',
    });
}

async function run(
  { options: { deadLetterQueue, ...settings }, ...given }: Create,
  context: CommandContext,
): Promise<ExitCode> {
  const queue = context.fullName(given.queue);
  const target = deadLetterQueue && { ...deadLetterQueue, name: context.fullName(deadLetterQueue.name) };
  const broker = await context.brokerToFill();
  const hasSettings = target !== undefined || Object.keys(settings).length > 0;
  const existed = context.json ? undefined : await exists(broker, queue);
  await broker.create(queue, { ...settings, ...(target && { deadLetterQueue: target }) });
  if (context.json) printJson({ queue });
  else print(describeCreated(queue, broker.description, existed, hasSettings));
  return exitCodes.done;
}

/** Undefined if the broker does not tell: users may be allowed to create a queue, but not to look it up. */
async function exists(broker: Broker, queue: string): Promise<boolean | undefined> {
  try {
    await openExisting(broker, queue);
    return true;
  } catch (error) {
    if (error instanceof QueueNotFoundError) return false;
    if (error instanceof BrokerError && (error.kind === 'denied' || error.kind === 'rejected'))
      return undefined;
    throw error;
  }
}

/**
 * The line that reports the result; `existed` is undefined if nobody knows.
 *
 *     describeCreated('jobs', 'SQS', false, true)    // 'Created queue jobs in SQS'
 *     describeCreated('jobs', 'SQS', true, true)     // 'Queue jobs exists in SQS; settings updated'
 */
export function describeCreated(
  queue: string,
  broker: string,
  existed: boolean | undefined,
  hasSettings: boolean,
): string {
  if (existed === undefined) return `Created or updated queue ${queue} in ${broker}`;
  if (!existed) return `Created queue ${queue} in ${broker}`;
  return `Queue ${queue} exists in ${broker}${hasSettings ? '; settings updated' : ''}`;
}
