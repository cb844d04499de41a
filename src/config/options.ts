/**
 * Every option of the ini file, declared once: its values, its default, and its purpose. The key in the file is the
 * name with underscores: `visibilityTimeout` is `visibility_timeout`.
 *
 * Checks across several options run once those options are valid themselves, even if others are not, so that all
 * problems are reported at once.
 */
import * as z from 'zod';
import { isSqs } from '../brokers/address.ts';
import { MAX_VISIBILITY_TIMEOUT } from '../brokers/rules/limits.ts';
import { nameProblems } from './queue-names.ts';
import {
  brokerAddress,
  duration,
  isWebAddress,
  listenAddress,
  logFormat,
  logPath,
  oneOf,
  queue,
  queues,
  share,
  size,
  text,
  webAddress,
  wholeNumber,
  wholeNumberOrAuto,
  word,
  words,
  yesOrNo,
} from './values.ts';

// A file is checked only once, and compiling the checks, zod's default, takes longer than running them.
z.config({ jitless: true });

/** For a check across several options: true if each of them is valid. */
function areRight(...names: string[]) {
  return ({ issues }: z.core.ParsePayload): boolean =>
    !issues.some(({ path }) => names.includes(String(path?.[0])));
}

/** Less than Node.js itself uses; a smaller value means that the unit is wrong. */
const LEAST_MEMORY = 32 * 2 ** 20;

const logLevel = oneOf('error', 'warn', 'info', 'debug');

const NO_URLS = 'only SQS queues have URLs; expected the name of the queue, or broker = sqs';

/** `[container]` */
export const containerOptions = z
  .object({
    worker: text('module:expr, such as ./adder.ts:adder', /^.+:[^\s:]+$/).describe(
      'The worker factory: a module, relative to this file or from a package, and its export',
    ),
    queue: queues().describe(
      'The queue to consume, by name or URL; or several, with weights: urgent*3, bulk',
    ),
    queuePrefix: word().optional().describe('Prefix for all queue names, followed by __; unset: no prefix'),
    suffixes: words()
      .optional()
      .describe('The suffixes that --suffix can append to the queue names, after __: big, small'),
    broker: brokerAddress()
      .prefault('sqs')
      .describe(
        'Where the queues live: sqs, sqs+http://HOST:PORT (an emulator), sqlite:PATH (relative to this file), postgres://…, redis://…, memory: or your own, ./my-broker.ts:MyBroker',
      ),
    poll: duration('seconds', { from: 0.001 })
      .prefault('30')
      .describe('How long a receive waits while a queue is empty, in seconds; on SQS at most 20'),
    idlePause: duration('seconds')
      .prefault('0')
      .describe('The longest pause between receives while a queue is empty, in seconds; 0: no pause'),
    visibilityTimeout: duration('seconds', { from: 1, to: MAX_VISIBILITY_TIMEOUT, whole: true })
      .optional()
      .describe('How long a received message stays invisible, in seconds; unset: as set on the queue'),
    handlerTimeout: duration('seconds', { from: 0.001 })
      .optional()
      .describe(
        'How long a worker can run before its signal aborts and the message fails, in seconds; unset: no limit',
      ),
    concurrency: wholeNumber(1)
      .prefault('10')
      .describe('sqs-concurrent: how many messages each process handles at once'),
    processes: wholeNumberOrAuto(1)
      .prefault('1')
      .describe('sqs-concurrent: how many processes; auto: one for each CPU'),
    prefetch: wholeNumberOrAuto(0)
      .prefault('auto')
      .describe(
        'Messages to hold ready in addition to those being handled; auto: enough for a fast worker, few for a slow one',
      ),
    settleDelay: duration('milliseconds', { to: 5000 })
      .prefault('200')
      .describe(
        'How long a finished message can wait for others to share its delete request, in milliseconds',
      ),
    onError: oneOf('delete', 'retry', 'dead_letter')
      .prefault('delete')
      .describe(
        'What happens to a failed message: delete, retry, or dead_letter (moved to dead_letter_queue)',
      ),
    deadLetterQueue: queue()
      .optional()
      .describe(
        'The queue for messages that failed with on_error = dead_letter, or that reached crash_limit',
      ),
    backoff: oneOf('none', 'constant', 'exponential')
      .prefault('none')
      .describe(
        'The delay before a retry: none (until the visibility timeout ends), constant or exponential',
      ),
    backoffBase: duration('seconds', { to: MAX_VISIBILITY_TIMEOUT })
      .prefault('2')
      .describe(
        'The constant backoff in seconds; an exponential backoff is this number to the power of the previous receives',
      ),
    backoffMax: duration('seconds', { to: MAX_VISIBILITY_TIMEOUT })
      .prefault('30m')
      .describe('The longest backoff, in seconds'),
    backoffSpread: share()
      .prefault('0.1')
      .describe('The random spread of backoffs: a standard deviation, as a share of the backoff'),
    crashLimit: wholeNumber(0)
      .prefault('5')
      .describe(
        'A message that crashed the process this many times goes to dead_letter_queue or, without one, is deleted; 0: never',
      ),
    deleteOnStart: yesOrNo()
      .prefault('no')
      .describe('Delete a message before it is handled: at most once, instead of at least once'),
    messageLimit: wholeNumber(1).optional().describe('Exit after this many messages; unset: never'),
    idleExit: duration('seconds', { from: 0.001 })
      .optional()
      .describe('Exit after this many seconds without a message; unset: never'),
    maxMemory: size(LEAST_MEMORY)
      .optional()
      .describe('A process that uses more bytes than this is drained and replaced: 512M; unset: no limit'),
    drainTimeout: duration('seconds')
      .prefault('30')
      .describe('How long workers can continue after a stop signal before their signal aborts, in seconds'),
  })
  .superRefine(
    (given, context) => {
      const suffixes = [undefined, ...(given.suffixes ?? [])];
      for (const { option, text } of suffixes.flatMap((suffix) => nameProblems(given, suffix))) {
        context.addIssue({ code: 'custom', path: [option], message: text });
      }
    },
    { when: areRight('queue', 'queuePrefix', 'suffixes', 'deadLetterQueue') },
  )
  .refine(({ queue, broker }) => isSqs(broker) || !queue.some(({ name }) => isWebAddress(name)), {
    path: ['queue'],
    error: NO_URLS,
    when: areRight('queue', 'broker'),
  })
  .refine(({ deadLetterQueue = '', broker }) => isSqs(broker) || !isWebAddress(deadLetterQueue), {
    path: ['deadLetterQueue'],
    error: NO_URLS,
    when: areRight('deadLetterQueue', 'broker'),
  })
  .refine(({ onError, deadLetterQueue }) => onError !== 'dead_letter' || deadLetterQueue !== undefined, {
    path: ['onError'],
    error: 'needs a dead-letter queue; add dead_letter_queue = NAME',
    when: areRight('onError', 'deadLetterQueue'),
  })
  .refine(({ onError, deleteOnStart }) => onError === 'delete' || !deleteOnStart, {
    path: ['deleteOnStart'],
    error: 'a message that is already deleted cannot be kept when it fails; expected on_error = delete',
    when: areRight('onError', 'deleteOnStart'),
  });

/** `[sqs]` */
export const sqsOptions = z.object({
  region: text('the name of a region, such as eu-west-1', /^[a-z0-9-]+$/i)
    .optional()
    .describe('The AWS region; unset: from the AWS configuration of the environment'),
  endpoint: webAddress().optional().describe('The URL of the service; unset: the default for the region'),
});

/** `[http]`: the status server. */
export const httpOptions = z
  .object({
    listen: listenAddress()
      .optional()
      .describe(
        'Where the status server listens: HOST:PORT, or the path of a Unix socket, relative to this file; unset: no status server',
      ),
    tokenFile: text('the path of a file', /./)
      .optional()
      .describe(
        'A file, relative to this one, with the token required for POST /pause, /resume and /wake; unset: they are refused',
      ),
  })
  .refine(({ listen, tokenFile }) => listen !== undefined || tokenFile === undefined, {
    path: ['tokenFile'],
    error: 'there is no status server to use it; add listen = 127.0.0.1:8125',
    when: areRight('listen', 'tokenFile'),
  });

/** `[logger]`: all loggers without their own section. */
export const rootLoggerOptions = z.object({
  level: logLevel.prefault('info').describe('The least important level that is logged'),
  path: logPath().prefault('STDERR').describe('STDOUT, STDERR, or a file, relative to this file'),
  format: logFormat()
    .prefault('text')
    .describe('text, json, or a template with {time}, {level}, {logger} and {message}'),
});

/** `[logger.NAME]`: one logger. Missing options are taken from `[logger]`. */
export const namedLoggerOptions = z
  .object({
    level: logLevel.optional().describe("The least important level; unset: [logger]'s"),
    path: logPath()
      .optional()
      .describe("STDOUT, STDERR, or a file, relative to this file; unset: [logger]'s"),
    format: logFormat()
      .optional()
      .describe("text, json, or a template; unset: [logger]'s, but {message} for [logger.messages]"),
    propagate: yesOrNo()
      .optional()
      .describe("Whether it also writes to [logger]'s path; unset: no if it has its own path"),
  })
  .refine(({ path, format }) => path !== undefined || format === undefined, {
    path: ['format'],
    error: 'without its own path it has the format of [logger]; add a path',
    when: areRight('path', 'format'),
  })
  .refine(({ path, propagate }) => path !== undefined || propagate !== false, {
    path: ['propagate'],
    error: 'without its own path it would not write anywhere; add a path',
    when: areRight('path', 'propagate'),
  });
