/** The command line of `sqs-queues`, read with yargs. */
import yargs, { type Argv } from 'yargs';
import type { CreateOptions } from '../src/brokers/broker.ts';
import { COMMAND, count, jsonOrText, keyword, seconds } from './queues-values.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';

/** Where the queues are: those of an ini file's broker, or of an address; neither: the environment's, else SQS. */
export interface Place {
  readonly config?: string;
  readonly broker?: string;
  /** Print JSON instead of text. */
  readonly json: boolean;
}

export type QueuesArguments = Place &
  (
    | { readonly command: 'status'; readonly queues: readonly string[] }
    | {
        readonly command: 'send';
        readonly queue: string;
        readonly args: readonly unknown[];
        readonly from?: string;
        readonly delaySeconds?: number;
        readonly groupId?: string;
      }
    | { readonly command: 'create'; readonly queue: string; readonly options: CreateOptions }
  );

const NAME_A_COMMAND = 'Name a command: status, send or create.';

/** The arguments, or the text that `--help` or `--version` asks for. Throws UsageError. */
export async function parseQueuesArguments(
  args: readonly string[],
): Promise<QueuesArguments | { readonly text: string }> {
  let result: QueuesArguments | undefined;
  let text = '';
  const parser = yargs()
    .scriptName(COMMAND)
    .usage(`${COMMAND} COMMAND [QUEUE] [-c FILE | -b BROKER]\n\nManages queues.`)
    .parserConfiguration({ 'parse-positional-numbers': false, 'parse-numbers': false })
    .option('config', {
      alias: 'c',
      type: 'string',
      requiresArg: true,
      describe: 'The broker of this ini file, and its queue_prefix before the names of queues',
    })
    .option('broker', {
      alias: 'b',
      type: 'string',
      requiresArg: true,
      describe: 'The broker at this address; names are as they are there',
    })
    .conflicts('config', 'broker')
    .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
    .command(
      'status [queues..]',
      'Count the messages of queues: visible, in flight, delayed',
      (command) =>
        command.positional('queues', {
          type: 'string',
          array: true,
          describe: "Default: the ini file's queues and its dead-letter queue, else all",
        }),
      (given) => {
        result = {
          ...placeOf(given),
          command: 'status',
          queues: [...(given.queues ?? []), ...behindDashes(given)],
        };
      },
    )
    .command(
      'send <queue> [args..]',
      'Send a call, or the bodies of a messages log',
      (command) => sendOptions(command),
      (given) => {
        result = sendArguments(given);
      },
    )
    .command(
      'create <queue>',
      'Make a queue, or change its settings',
      (command) => createOptions(command),
      (given) => {
        result = createArguments(given);
      },
    )
    .demandCommand(1, 1, NAME_A_COMMAND, NAME_A_COMMAND)
    .version(version)
    .help()
    .alias('help', 'h')
    .wrap(110)
    .strict()
    .detectLocale(false)
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      if (error instanceof UsageError) throw error;
      // yargs counts what is missing; here it can only be the one thing.
      const noQueue = message?.startsWith('Not enough non-option arguments');
      throw new UsageError(COMMAND, noQueue ? 'Name a queue.' : message || error.message);
    });
  await parser.parseAsync([...args], {}, (_error, _argv, output) => {
    text = output;
  });
  return result ?? { text };
}

function sendOptions<Given>(command: Argv<Given>) {
  return command
    .positional('queue', { type: 'string', demandOption: true, describe: 'The name of the queue' })
    .positional('args', {
      type: 'string',
      array: true,
      describe: 'The arguments of the call: each is JSON, or else a text',
    })
    .option('kw', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'A keyword argument, key=value; may be repeated',
    })
    .option('from', {
      type: 'string',
      requiresArg: true,
      describe: 'Send the bodies of this messages log, one a line; - reads standard input',
    })
    .option('delay', { type: 'string', requiresArg: true, describe: 'Seconds before it can be received' })
    .option('group', { type: 'string', requiresArg: true, describe: 'The message group' })
    .example('$0 send adder 1 2 3 -c worker.ini', 'sends [[1,2,3],{}]')
    .example('$0 send adder 1 --kw x=3', 'sends [[1],{"x":3}]')
    .example('$0 send adder --from messages.log', 'sends failed messages again');
}

type SendGiven = GivenPlace & {
  readonly queue: string;
  readonly args: string[] | undefined;
  readonly kw: string[] | undefined;
  readonly from: string | undefined;
  readonly delay: string | undefined;
  readonly group: string | undefined;
};

function sendArguments(given: SendGiven): QueuesArguments {
  const { queue, kw = [], from, delay, group } = given;
  const args = [...(given.args ?? []), ...behindDashes(given)];
  if (from !== undefined && args.length + kw.length > 0) {
    throw new UsageError(COMMAND, 'Give either the arguments of one call or --from FILE, not both.');
  }
  const keywords = kw.map(keyword);
  return {
    ...placeOf(given),
    command: 'send',
    queue,
    args: [...args.map(jsonOrText), ...(keywords.length > 0 ? [Object.fromEntries(keywords)] : [])],
    ...(from !== undefined && { from }),
    ...(delay !== undefined && { delaySeconds: seconds('delay', delay) }),
    ...(group !== undefined && { groupId: group }),
  };
}

function createOptions<Given>(command: Argv<Given>) {
  const setting = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;
  return command
    .positional('queue', {
      type: 'string',
      demandOption: true,
      describe: 'Its name; .fifo at the end makes it FIFO',
    })
    .option('visibility-timeout', setting('Seconds that a received message stays invisible (default 30)'))
    .option('delay', setting('Seconds before a sent message can be received (default 0)'))
    .option('retention', setting('Seconds that a message is kept (default: 4 days on SQS, else for ever)'))
    .option('dead-letter-queue', setting('Where a message goes that was received too often'))
    .option('max-receives', setting('How often a message is received before it goes there'))
    .option('content-based-deduplication', {
      type: 'boolean',
      describe: 'FIFO: equal bodies are the same message',
    });
}

type CreateGiven = GivenPlace & {
  readonly queue: string;
  readonly visibilityTimeout: string | undefined;
  readonly delay: string | undefined;
  readonly retention: string | undefined;
  readonly deadLetterQueue: string | undefined;
  readonly maxReceives: string | undefined;
  readonly contentBasedDeduplication: boolean | undefined;
};

function createArguments(given: CreateGiven): QueuesArguments {
  const { visibilityTimeout, delay, retention, deadLetterQueue, maxReceives, contentBasedDeduplication } =
    given;
  if ((deadLetterQueue === undefined) !== (maxReceives === undefined)) {
    throw new UsageError(
      COMMAND,
      '--dead-letter-queue and --max-receives go together: give both or neither.',
    );
  }
  const options: CreateOptions = {
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
  return { ...placeOf(given), command: 'create', queue: given.queue, options };
}

/** The positional arguments behind a `--`: yargs leaves them beside the command's name. */
function behindDashes({ _: [, ...others] }: GivenPlace): string[] {
  return others.map(String);
}

interface GivenPlace {
  /** The command, and what is behind a `--`. */
  readonly _: readonly (string | number)[];
  readonly config: string | undefined;
  readonly broker: string | undefined;
  readonly json: boolean;
}

function placeOf({ config, broker, json }: GivenPlace): Place {
  return { json, ...(config !== undefined && { config }), ...(broker !== undefined && { broker }) };
}
