// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts contain literal ${}
import { expect } from 'chai';
import fc from 'fast-check';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { describeConfig } from '../../src/config/describe.ts';
import { withoutSecrets } from '../../src/config/secrets.ts';
import { codePoint } from '../support/code-point.ts';

const MINIMAL = '[container]\nworker = ./adder.ts:adder\nqueue = adder\n';

function parse(text: string): Config {
  return parseConfig(text, '/app/worker.ini', {});
}

function optional<T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(values, { nil: undefined });
}

/** The text of a section; values are quoted, which any text may be. */
function section(name: string, entries: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(entries).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key} = ${JSON.stringify(value.replaceAll('${', () => '$${'))}`],
  );
  return [`[${name}]`, ...lines, ''].join('\n');
}

const duration = fc.oneof(
  fc.integer({ min: 1, max: 5000 }).map(String),
  fc.double({ min: 0.001, max: 4, noNaN: true }).map((number) => number.toFixed(4)),
  fc.constantFrom('5ms', '1.1s', '2s'),
);
const path = fc.oneof(
  fc.constantFrom('STDERR', 'STDOUT', '../a.log', '/var/log/a b;c.log'),
  fc
    .string({ minLength: 1 })
    .filter((name) => !/^std(out|err)$/i.test(name) && withoutSecrets('path', name) === name),
);
const format = fc.oneof(
  fc.constantFrom('text', 'json'),
  fc
    .string()
    .filter((text) => !/[{}]/.test(text) && !text.includes('//'))
    .map((text) => `${text}{message} # {time}`),
);
const level = fc.constantFrom('error', 'warn', 'info', 'debug');
const word = fc.stringMatching(/^[\w-]{1,9}$/);
const key = fc.stringMatching(/^[a-z][\w.-]{0,8}$/);

const iniTexts = fc
  .record({
    container: fc
      .record({
        worker: fc.constantFrom('./adder.ts:adder', '@scope/package:a.b'),
        queue: fc.constantFrom('adder', 'adder.fifo*3', 'adder*1, bulk*2', 'a, b.fifo*1000,c'),
        queue_prefix: optional(word),
        suffixes: optional(fc.array(word, { minLength: 1 }).map((list) => list.join(' , '))),
        broker: optional(fc.constantFrom('sqs', 'sqs+http://127.0.0.1:4566', 'memory:', 'sqlite:a #1.db')),
        poll: optional(duration),
        idle_pause: optional(duration),
        handler_timeout: optional(duration),
        concurrency: optional(fc.integer({ min: 1 }).map(String)),
        processes: optional(fc.constantFrom('1', '4', 'auto')),
        prefetch: optional(fc.constantFrom('0', '10', 'auto')),
        visibility_timeout: optional(fc.integer({ min: 1, max: 43_200 }).map(String)),
        settle_delay: optional(duration),
        dead_letter_queue: fc.constantFrom('failed', 'failed.fifo'),
        backoff: optional(fc.constantFrom('none', 'constant', 'exponential')),
        backoff_base: optional(duration),
        backoff_max: optional(duration),
        backoff_spread: optional(
          fc.double({ min: 0, max: 1, noNaN: true }).map((number) => number.toFixed(15)),
        ),
        crash_limit: optional(fc.nat().map(String)),
        max_memory: optional(fc.constantFrom('32M', '0.7G', '99999.9K', '64000001')),
        on_error: optional(fc.constantFrom('delete', 'retry', 'dead_letter')),
        delete_on_start: optional(fc.constantFrom('yes', 'no')),
        message_limit: optional(fc.integer({ min: 1 }).map(String)),
        idle_exit: optional(duration),
        drain_timeout: optional(duration),
      })
      .filter(
        ({ on_error = 'delete', delete_on_start }) => on_error === 'delete' || delete_on_start !== 'yes',
      ),
    worker: fc.dictionary(
      key,
      fc.oneof(fc.string({ unit: codePoint }), fc.constantFrom('${A}', '$${', 'a$&', 'null')),
    ),
    sqs: fc.record({
      region: optional(fc.constant('eu-west-1')),
      endpoint: optional(fc.constantFrom('http://127.0.0.1:4566', 'https://host/#x')),
    }),
    http: fc.record({
      listen: fc.constantFrom('127.0.0.1:8125', '[::1]:0', './status.sock', '/run/a b;c.sock'),
      token_file: optional(fc.constantFrom('token', '../a #1')),
    }),
    logger: fc.record({ level: optional(level), path: optional(path), format: optional(format) }),
    'logger.messages': fc.oneof(
      fc.record({
        path,
        level: optional(level),
        format: optional(format),
        propagate: optional(fc.constantFrom('yes', 'no')),
      }),
      fc.record({ level: optional(level), propagate: optional(fc.constant('yes')) }),
    ),
  })
  .map((sections) =>
    Object.entries(sections)
      .map(([name, entries]) => section(name, entries))
      .join('\n'),
  );

describe('the description of a config', () => {
  it('shows every option with its purpose', () => {
    const shown = describeConfig(
      parse(
        [
          '[container]',
          'worker = ./adder.ts:adder',
          'queue = adder,bulk * 2',
          'suffixes = big,small',
          'broker = sqlite:queues.db',
          'processes = auto',
          'max_memory = 512M',
          '[worker]',
          'scale = 2',
          '[logger.messages]',
          'path = messages.log',
        ].join('\n'),
      ),
    );
    expect(shown.split('\n')).to.deep.equal([
      '[container]',
      '; The worker factory: a module, relative to this file or from a package, and its export',
      'worker = ./adder.ts:adder',
      '; The queue to consume, by name or URL; or several, with weights: urgent*3, bulk',
      'queue = adder, bulk*2',
      '; Prefix for all queue names, followed by __; unset: no prefix',
      '; queue_prefix =',
      '; The suffixes that --suffix can append to the queue names, after __: big, small',
      'suffixes = big, small',
      '; Where the queues live: sqs, sqs+http://HOST:PORT (an emulator), sqlite:PATH (relative to this file), postgres://…, redis://…, memory: or your own, ./my-broker.ts:MyBroker',
      'broker = sqlite:/app/queues.db',
      '; How long a receive waits while a queue is empty, in seconds; on SQS at most 20',
      'poll = 30',
      '; The longest pause between receives while a queue is empty, in seconds; 0: no pause',
      'idle_pause = 0',
      '; How long a received message stays invisible, in seconds; unset: as set on the queue',
      '; visibility_timeout =',
      '; How long a worker can run before its signal aborts and the message fails, in seconds; unset: no limit',
      '; handler_timeout =',
      '; sqs-concurrent: how many messages each process handles at once',
      'concurrency = 10',
      '; sqs-concurrent: how many processes; auto: one for each CPU',
      'processes = auto',
      '; Messages to hold ready in addition to those being handled; auto: enough for a fast worker, few for a slow one',
      'prefetch = auto',
      '; How long a finished message can wait for others to share its delete request, in milliseconds',
      'settle_delay = 200',
      '; What happens to a failed message: delete, retry, or dead_letter (moved to dead_letter_queue)',
      'on_error = delete',
      '; The queue for messages that failed with on_error = dead_letter, or that reached crash_limit',
      '; dead_letter_queue =',
      '; The delay before a retry: none (until the visibility timeout ends), constant or exponential',
      'backoff = none',
      '; The constant backoff in seconds; an exponential backoff is this number to the power of the previous receives',
      'backoff_base = 2',
      '; The longest backoff, in seconds',
      'backoff_max = 1800',
      '; The random spread of backoffs: a standard deviation, as a share of the backoff',
      'backoff_spread = 0.1',
      '; A message that crashed the process this many times goes to dead_letter_queue or, without one, is deleted; 0: never',
      'crash_limit = 5',
      '; Delete a message before it is handled: at most once, instead of at least once',
      'delete_on_start = no',
      '; Exit after this many messages; unset: never',
      '; message_limit =',
      '; Exit after this many seconds without a message; unset: never',
      '; idle_exit =',
      '; A process that uses more bytes than this is drained and replaced: 512M; unset: no limit',
      'max_memory = 536870912',
      '; How long workers can continue after a stop signal before their signal aborts, in seconds',
      'drain_timeout = 30',
      '',
      '[worker]',
      'scale = 2',
      '',
      '[sqs]',
      '; The AWS region; unset: from the AWS configuration of the environment',
      '; region =',
      '; The URL of the service; unset: the default for the region',
      '; endpoint =',
      '',
      '[http]',
      '; Where the status server listens: HOST:PORT, or the path of a Unix socket, relative to this file; unset: no status server',
      '; listen =',
      '; A file, relative to this one, with the token required for POST /pause, /resume and /wake; unset: they are refused',
      '; token_file =',
      '',
      '[logger]',
      '; The least important level that is logged',
      'level = info',
      '; STDOUT, STDERR, or a file, relative to this file',
      'path = STDERR',
      '; text, json, or a template with {time}, {level}, {logger} and {message}',
      'format = text',
      '',
      '[logger.messages]',
      "; The least important level; unset: [logger]'s",
      'level = info',
      "; STDOUT, STDERR, or a file, relative to this file; unset: [logger]'s",
      'path = /app/messages.log',
      "; text, json, or a template; unset: [logger]'s, but {message} for [logger.messages]",
      'format = {message}',
      "; Whether it also writes to [logger]'s path; unset: no if it has its own path",
      'propagate = no',
    ]);
  });

  it('hides secrets', () => {
    const shown = describeConfig(
      parse(
        `${MINIMAL}[worker]\npassword = abc\napi_key = "d e"\nurl = pg://me:abc@host/\n[sqs]\nendpoint = http://me:abc@host`,
      ),
    );
    expect(shown).to.contain('\npassword = ***\n').and.to.contain('\napi_key = ***\n');
    expect(shown)
      .to.contain('\nurl = pg://me:***@host/\n')
      .and.to.contain('\nendpoint = http://me:***@host\n');
    expect(shown).to.not.contain('abc').and.not.to.contain('d e');
  });

  it('hides a secret that was parsed as part of its key', () => {
    const shown = describeConfig(parse(`${MINIMAL}[worker]\napi_key: abc=7\n`));
    expect(shown).to.contain('\napi_key… = ***\n').and.not.to.contain('abc');
  });

  it('is an ini file with the same settings, except for the secrets', () => {
    fc.assert(
      fc.property(iniTexts, (text) => {
        const config = parse(text);
        const worker = Object.fromEntries(
          Object.entries(config.worker).map(([name, value]) => [name, withoutSecrets(name, value)]),
        );
        const described = parseConfig(describeConfig(config), '/app/worker.ini', {});
        expect(described).to.deep.equal({ ...config, worker });
      }),
      { numRuns: 300 },
    );
  });

  it('has the same settings in any folder', () => {
    const config = parse(`${MINIMAL}broker = sqlite:queues.db\n[logger]\npath = all.log`);
    const { container, loggers } = parseConfig(describeConfig(config), '/elsewhere/x.ini', {});
    expect(container).to.deep.equal(config.container);
    expect(loggers.root).to.deep.equal(config.loggers.root);
  });
});
