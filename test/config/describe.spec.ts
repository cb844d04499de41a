// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${} is what the environment fills in
import { expect } from 'chai';
import fc from 'fast-check';
import { type Config, describeConfig, parseConfig } from '../../src/config/config.ts';
import { withoutSecrets } from '../../src/config/secrets.ts';

const MINIMAL = '[container]\nworker = ./adder.ts:adder\nqueue = adder\n';

function parse(text: string): Config {
  return parseConfig(text, '/app/worker.ini', {});
}

function optional<T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(values, { nil: undefined });
}

/** The text of a section; values are quoted, as any text may be. */
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
const key = fc.stringMatching(/^[a-z][\w.-]{0,8}$/);

const iniTexts = fc
  .record({
    container: fc.record({
      worker: fc.constantFrom('./adder.ts:adder', '@scope/package:a.b'),
      queue: fc.constantFrom('adder', 'adder.fifo'),
      broker: optional(fc.constantFrom('sqs', 'sqs+http://127.0.0.1:4566', 'memory:', 'sqlite:a #1.db')),
      poll: optional(duration),
      visibility_timeout: optional(fc.integer({ min: 1, max: 43_200 }).map(String)),
      settle_delay: optional(duration),
      on_error: optional(fc.constantFrom('delete', 'retry')),
      message_limit: optional(fc.integer({ min: 1 }).map(String)),
      idle_exit: optional(duration),
      drain_timeout: optional(duration),
    }),
    worker: fc.dictionary(
      key,
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('${A}', '$${', 'a$&', 'null')),
    ),
    sqs: fc.record({
      region: optional(fc.constant('eu-west-1')),
      endpoint: optional(fc.constantFrom('http://127.0.0.1:4566', 'https://host/#x')),
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
  it('shows every option with what it is for', () => {
    const shown = describeConfig(
      parse(
        `${MINIMAL}broker = sqlite:queues.db\n[worker]\nscale = 2\n[logger.messages]\npath = messages.log`,
      ),
    );
    expect(shown.split('\n')).to.deep.equal([
      '[container]',
      '; The worker factory: a module, relative to this file or from a package, and its export',
      'worker = ./adder.ts:adder',
      '; The queue whose messages are handled: its name or its URL',
      'queue = adder',
      '; Where the queue lives: sqs, sqs+http://HOST:PORT (an emulator), sqlite:PATH (relative to this file) or memory:',
      'broker = sqlite:/app/queues.db',
      '; Seconds to wait for a message while the queue is empty',
      'poll = 30',
      '; Seconds for which a received message stays invisible; unset: as the queue has it',
      '; visibility_timeout =',
      '; Milliseconds that a finished message may wait for others, to be deleted in one request',
      'settle_delay = 200',
      '; What becomes of a message whose worker failed: delete, or retry when it becomes visible again',
      'on_error = delete',
      '; Exit after so many messages; unset: never',
      '; message_limit =',
      '; Exit after so many seconds without a message; unset: never',
      '; idle_exit =',
      '; Seconds for which a message may still be handled once the container is told to stop',
      'drain_timeout = 30',
      '',
      '[worker]',
      'scale = 2',
      '',
      '[sqs]',
      '; The AWS region; unset: as the AWS settings of the environment have it',
      '; region =',
      '; The URL of the service; unset: that of the region',
      '; endpoint =',
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
      "; Whether it writes to [logger]'s path, too; unset: no if it has its own",
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

  it('is an ini file of the same settings, but for the secrets', () => {
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

  it('is of the same settings in any folder', () => {
    const config = parse(`${MINIMAL}broker = sqlite:queues.db\n[logger]\npath = all.log`);
    const { container, loggers } = parseConfig(describeConfig(config), '/elsewhere/x.ini', {});
    expect(container).to.deep.equal(config.container);
    expect(loggers.root).to.deep.equal(config.loggers.root);
  });
});
