/**
 * Every option of the ini file, declared once: what it takes, its default, and what it is for. The key in the file is
 * the name with underscores: `visibilityTimeout` is `visibility_timeout`.
 *
 * What concerns several options is checked when these are right by themselves, whatever is wrong with others, to show
 * all problems at once.
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

// A file is checked once: to compile the checks first, as zod does, takes longer than to run them.
z.config({ jitless: true });

/** For a check of several options: true if nothing is wrong with these. */
function areRight(...names: string[]) {
  return ({ issues }: z.core.ParsePayload): boolean =>
    !issues.some(({ path }) => names.includes(String(path?.[0])));
}

/** Less than Node.js itself takes; who writes less has mistaken the unit. */
const LEAST_MEMORY = 32 * 2 ** 20;

const logLevel = oneOf('error', 'warn', 'info', 'debug');

const NO_URLS = 'only queues on SQS have URLs; expected the name of the queue, or broker = sqs';

/** `[container]` */
export const containerOptions = z
  .object({
    worker: text('module:expr, such as ./adder.ts:adder', /^.+:[^\s:]+$/).describe(
      'The worker factory: a module, relative to this file or from a package, and its export',
    ),
    queue: queues().describe(
      'The queue whose messages are handled, by name or URL; or several, with weights: urgent*3, bulk',
    ),
    queuePrefix: word()
      .optional()
      .describe('Put before the names of all queues, with __ between; unset: nothing'),
    suffixes: words()
      .optional()
      .describe('What --suffix may put behind the names of the queues, with __ between: big, small'),
    broker: brokerAddress()
      .prefault('sqs')
      .describe(
        'Where the queues live: sqs, sqs+http://HOST:PORT (an emulator), sqlite:PATH (relative to this file), postgres://…, redis://…, memory: or one of your own, ./my-broker.ts:MyBroker',
      ),
    poll: duration('seconds', { from: 0.001 })
      .prefault('30')
      .describe('Seconds that a request for messages waits while a queue is empty; on SQS at most 20'),
    idlePause: duration('seconds')
      .prefault('0')
      .describe(
        'Seconds that the pause between such requests may grow to while a queue is empty; 0: no pause',
      ),
    visibilityTimeout: duration('seconds', { from: 1, to: MAX_VISIBILITY_TIMEOUT, whole: true })
      .optional()
      .describe('Seconds for which a received message stays invisible; unset: as the queue has it'),
    handlerTimeout: duration('seconds', { from: 0.001 })
      .optional()
      .describe(
        'Seconds that a worker may take before its signal aborts and the message has failed; unset: no limit',
      ),
    concurrency: wholeNumber(1)
      .prefault('10')
      .describe('sqs-concurrent: how many messages each process handles at once'),
    processes: wholeNumberOrAuto(1)
      .prefault('1')
      .describe('sqs-concurrent: how many processes; auto: one for each processor'),
    prefetch: wholeNumberOrAuto(0)
      .prefault('auto')
      .describe(
        'Messages to hold ready beside those that are handled; auto: enough for a fast worker, few for a slow one',
      ),
    settleDelay: duration('milliseconds', { to: 5000 })
      .prefault('200')
      .describe('Milliseconds that a finished message may wait for others, to be deleted in one request'),
    onError: oneOf('delete', 'retry', 'dead_letter')
      .prefault('delete')
      .describe(
        'What becomes of a message whose worker failed: delete, retry, or dead_letter (to dead_letter_queue)',
      ),
    deadLetterQueue: queue()
      .optional()
      .describe('Where messages go that failed with on_error = dead_letter, or that reached the crash_limit'),
    backoff: oneOf('none', 'constant', 'exponential')
      .prefault('none')
      .describe(
        'When a message comes back that is retried: none (when its visibility timeout ends), constant or exponential',
      ),
    backoffBase: duration('seconds', { to: MAX_VISIBILITY_TIMEOUT })
      .prefault('2')
      .describe(
        'Seconds of a constant backoff; an exponential one is this number to the power of the receives before',
      ),
    backoffMax: duration('seconds', { to: MAX_VISIBILITY_TIMEOUT })
      .prefault('30m')
      .describe('The longest backoff, in seconds'),
    backoffSpread: share()
      .prefault('0.1')
      .describe('How far backoffs are spread at random, as a share of them: a standard deviation'),
    crashLimit: wholeNumber(0)
      .prefault('5')
      .describe(
        'A message that has ended the process so often goes to dead_letter_queue or, without one, is deleted; 0: never',
      ),
    deleteOnStart: yesOrNo()
      .prefault('no')
      .describe('Delete a message before it is handled: at most once, instead of at least once'),
    messageLimit: wholeNumber(1).optional().describe('Exit after so many messages; unset: never'),
    idleExit: duration('seconds', { from: 0.001 })
      .optional()
      .describe('Exit after so many seconds without a message; unset: never'),
    maxMemory: size(LEAST_MEMORY)
      .optional()
      .describe('A process that uses more bytes than this drains and is replaced: 512M; unset: no limit'),
    drainTimeout: duration('seconds')
      .prefault('30')
      .describe('Seconds for which a message may still be handled once the container is told to stop'),
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
    error: 'needs the queue to put it in; expected dead_letter_queue = NAME, too',
    when: areRight('onError', 'deadLetterQueue'),
  })
  .refine(({ onError, deleteOnStart }) => onError === 'delete' || !deleteOnStart, {
    path: ['deleteOnStart'],
    error: 'a message that is gone cannot be kept when it fails; expected on_error = delete',
    when: areRight('onError', 'deleteOnStart'),
  });

/** `[sqs]` */
export const sqsOptions = z.object({
  region: text('the name of a region, such as eu-west-1', /^[a-z0-9-]+$/i)
    .optional()
    .describe('The AWS region; unset: as the AWS settings of the environment have it'),
  endpoint: webAddress().optional().describe('The URL of the service; unset: that of the region'),
});

/** `[http]`: the status server. */
export const httpOptions = z
  .object({
    listen: listenAddress()
      .optional()
      .describe(
        'Where the status server listens: HOST:PORT, or the path of a Unix socket, relative to this file; unset: there is none',
      ),
    tokenFile: text('the path of a file', /./)
      .optional()
      .describe(
        'A file, relative to this one, with the token that POST /pause, /resume and /wake need; unset: they are refused',
      ),
  })
  .refine(({ listen, tokenFile }) => listen !== undefined || tokenFile === undefined, {
    path: ['tokenFile'],
    error: 'there is no status server that it would be for; expected listen = 127.0.0.1:8125, too',
    when: areRight('listen', 'tokenFile'),
  });

/** `[logger]`: all loggers that have no section of their own. */
export const rootLoggerOptions = z.object({
  level: logLevel.prefault('info').describe('The least important level that is logged'),
  path: logPath().prefault('STDERR').describe('STDOUT, STDERR, or a file, relative to this file'),
  format: logFormat()
    .prefault('text')
    .describe('text, json, or a template with {time}, {level}, {logger} and {message}'),
});

/** `[logger.NAME]`: one logger. What it leaves out is as `[logger]` has it. */
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
      .describe("Whether it writes to [logger]'s path, too; unset: no if it has its own"),
  })
  .refine(({ path, format }) => path !== undefined || format === undefined, {
    path: ['format'],
    error: 'without a path of its own it writes as [logger] does; add a path',
    when: areRight('path', 'format'),
  })
  .refine(({ path, propagate }) => path !== undefined || propagate !== false, {
    path: ['propagate'],
    error: 'without a path of its own it would write nowhere; add a path',
    when: areRight('path', 'propagate'),
  });
