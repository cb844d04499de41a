/**
 * Every option of the ini file, declared once: what it takes, its default, and what it is for. The key in the file is
 * the name with underscores: `visibilityTimeout` is `visibility_timeout`.
 *
 * What concerns two options is checked `ALWAYS`, also when others are wrong, to show all problems at once; a value that
 * is wrong by itself passes these checks.
 */
import * as z from 'zod';
import {
  brokerAddress,
  duration,
  isWebAddress,
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
  words,
  yesOrNo,
} from './values.ts';

const ALWAYS = () => true;

const logLevel = oneOf('error', 'warn', 'info', 'debug');

/** `[container]` */
export const containerOptions = z
  .object({
    worker: text('module:expr, such as ./adder.ts:adder', /^.+:[^\s:]+$/).describe(
      'The worker factory: a module, relative to this file or from a package, and its export',
    ),
    queue: queues().describe(
      'The queue whose messages are handled, by name or URL; several with their weights: urgent*3, bulk',
    ),
    queuePrefix: text('a word of letters, digits, - and _', /^[\w-]{1,40}$/)
      .optional()
      .describe(
        'Put before the name of every queue, with __ between, so that people and environments do not collide',
      ),
    suffixes: words()
      .optional()
      .describe('What --suffix may put behind the name of every queue, with __ between: big, small'),
    broker: brokerAddress()
      .prefault('sqs')
      .describe(
        'Where the queue lives: sqs, sqs+http://HOST:PORT (an emulator), sqlite:PATH (relative to this file) or memory:',
      ),
    poll: duration('seconds', { from: 0.001 })
      .prefault('30')
      .describe('Seconds to wait for a message while the queue is empty'),
    idlePause: duration('seconds')
      .prefault('0')
      .describe(
        'Seconds that the pause between polls may grow to while the queue is empty; 0: no pause, only long polls',
      ),
    visibilityTimeout: duration('seconds', { from: 1, to: 43_200, whole: true })
      .optional()
      .describe('Seconds for which a received message stays invisible; unset: as the queue has it'),
    handlerTimeout: duration('seconds', { from: 0.001 })
      .optional()
      .describe(
        'Seconds that a worker may take before its signal aborts and the message has failed; unset: no limit',
      ),
    concurrency: wholeNumber(1)
      .prefault('10')
      .describe('Messages handled at once by sqs-concurrent, in each process'),
    processes: wholeNumberOrAuto(1)
      .prefault('1')
      .describe('Processes of sqs-concurrent; auto: one for each processor'),
    prefetch: wholeNumberOrAuto(0)
      .prefault('auto')
      .describe(
        'Messages held ready beside those that are handled; auto: as fast workers need, next to none for slow ones',
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
      .describe('Where messages go that failed with on_error = dead_letter, or ended the process too often'),
    backoff: oneOf('none', 'constant', 'exponential')
      .prefault('none')
      .describe(
        'When a message comes back that is retried: none (when its visibility timeout ends), constant or exponential',
      ),
    backoffBase: duration('seconds', { to: 43_200 })
      .prefault('2')
      .describe(
        'Seconds of a constant backoff, and what an exponential one raises to the power of the receives before',
      ),
    backoffMax: duration('seconds', { to: 43_200 })
      .prefault('30m')
      .describe('The longest backoff, in seconds'),
    backoffSpread: share()
      .prefault('0.1')
      .describe(
        'How far delays are spread, as a share of them, so that what failed together does not come back together',
      ),
    crashLimit: wholeNumber(0)
      .prefault('5')
      .describe(
        'A message that has ended the process so many times is not run again, but buried or deleted; 0: never',
      ),
    deleteOnStart: yesOrNo()
      .prefault('no')
      .describe('Delete a message before it is handled: at most once, instead of at least once'),
    messageLimit: wholeNumber(1).optional().describe('Exit after so many messages; unset: never'),
    idleExit: duration('seconds', { from: 0.001 })
      .optional()
      .describe('Exit after so many seconds without a message; unset: never'),
    maxMemory: size()
      .optional()
      .describe('A process that uses more drains and is replaced, such as 512M; unset: no limit'),
    drainTimeout: duration('seconds')
      .prefault('30')
      .describe('Seconds for which a message may still be handled once the container is told to stop'),
  })
  .refine(
    ({ queue, broker }) =>
      !(Array.isArray(queue) && queue.some(({ name }) => isWebAddress(name))) ||
      !/^(sqlite|memory):/.test(broker),
    {
      path: ['queue'],
      error: 'only queues on SQS have URLs; expected the name of the queue, or broker = sqs',
      when: ALWAYS,
    },
  )
  .refine(({ onError, deadLetterQueue }) => onError !== 'dead_letter' || deadLetterQueue !== undefined, {
    path: ['onError'],
    error: 'needs a queue to put them; expected dead_letter_queue = NAME, too',
    when: ALWAYS,
  });

/** `[sqs]` */
export const sqsOptions = z.object({
  region: text('the name of a region, such as eu-west-1', /^[a-z0-9-]+$/i)
    .optional()
    .describe('The AWS region; unset: as the AWS settings of the environment have it'),
  endpoint: webAddress().optional().describe('The URL of the service; unset: that of the region'),
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
    when: ALWAYS,
  })
  .refine(({ path, propagate }) => path !== undefined || propagate !== false, {
    path: ['propagate'],
    error: 'without a path of its own it would write nowhere; add a path',
    when: ALWAYS,
  });
