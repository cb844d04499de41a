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
  text,
  webAddress,
  wholeNumber,
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
    queue: queue().describe('The queue whose messages are handled: its name or its URL'),
    broker: brokerAddress()
      .prefault('sqs')
      .describe(
        'Where the queue lives: sqs, sqs+http://HOST:PORT (an emulator), sqlite:PATH (relative to this file) or memory:',
      ),
    poll: duration('seconds', { from: 0.001 })
      .prefault('30')
      .describe('Seconds to wait for a message while the queue is empty'),
    visibilityTimeout: duration('seconds', { from: 1, to: 43_200, whole: true })
      .optional()
      .describe('Seconds for which a received message stays invisible; unset: as the queue has it'),
    settleDelay: duration('milliseconds', { to: 5000 })
      .prefault('200')
      .describe('Milliseconds that a finished message may wait for others, to be deleted in one request'),
    onError: oneOf('delete', 'retry')
      .prefault('delete')
      .describe(
        'What becomes of a message whose worker failed: delete, or retry when it becomes visible again',
      ),
    messageLimit: wholeNumber(1).optional().describe('Exit after so many messages; unset: never'),
    idleExit: duration('seconds', { from: 0.001 })
      .optional()
      .describe('Exit after so many seconds without a message; unset: never'),
    drainTimeout: duration('seconds')
      .prefault('30')
      .describe('Seconds for which a message may still be handled once the container is told to stop'),
  })
  .refine(({ queue, broker }) => !isWebAddress(queue) || !/^(sqlite|memory):/.test(broker), {
    path: ['queue'],
    error: 'only queues on SQS have URLs; expected the name of the queue, or broker = sqs',
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
