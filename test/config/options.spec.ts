import { expect } from 'chai';
import { type Config, ConfigError, parseConfig } from '../../src/config/config.ts';
import { containerOptions, sqsOptions } from '../../src/config/options.ts';

const FILE = '/app/worker.ini';
const SQS_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/adder';
const REQUIRED = { worker: './adder.ts:adder', queue: 'adder' };

/** An ini file with what must be there and with this option. */
function withOption(section: string, key: string, value: string): string {
  const sections =
    section === 'container'
      ? { container: { ...REQUIRED, [key]: value } }
      : { container: REQUIRED, [section]: { [key]: value } };
  return Object.entries(sections)
    .flatMap(([name, entries]) => [`[${name}]`, ...Object.entries(entries).map((entry) => entry.join(' = '))])
    .join('\n');
}

/** What an option makes of values. */
interface OptionTable {
  readonly section: 'container' | 'sqs';
  readonly key: string;
  /** Of the property of the config. */
  readonly name: string;
  /** What the config has if the file has nothing. */
  readonly unset: unknown;
  /** As written → as the config has it. */
  readonly good: Readonly<Record<string, unknown>>;
  /** Message → as written. */
  readonly bad: Readonly<Record<string, readonly string[]>>;
}

function same(...values: string[]): Record<string, string> {
  return Object.fromEntries(values.map((value) => [value, value]));
}

const aDuration = 'expected a duration such as 30, 500ms or 5m';

const tables: readonly OptionTable[] = [
  {
    section: 'container',
    key: 'worker',
    name: 'worker',
    unset: './adder.ts:adder',
    good: same(
      './adder.ts:adder',
      '../a b/c.js:math.adder',
      '@scope/package/workers:default',
      'C:\\x.ts:add',
    ),
    bad: {
      'expected module:expr, such as ./adder.ts:adder': ['', 'adder', './adder.ts:', ':adder', './x.ts:a b'],
    },
  },
  {
    section: 'container',
    key: 'queue',
    name: 'queue',
    unset: 'adder',
    good: same('a', 'Adder_2-x', 'adder.fifo', 'x'.repeat(80), SQS_URL, 'http://127.0.0.1:4566/0000/adder'),
    bad: {
      'expected the name of a queue (up to 80 letters, digits, - and _, and .fifo at the end if it is one) or its URL':
        `|two words|a.b|.fifo|a.fifo.fifo|${'x'.repeat(81)}|${'x'.repeat(76)}.fifo|ä|a*3|a, b|http://|ftp://host/q`.split(
          '|',
        ),
    },
  },
  {
    section: 'container',
    key: 'broker',
    name: 'broker',
    unset: 'sqs',
    good: {
      ...same(
        'sqs',
        'sqs+http://127.0.0.1:4566',
        'sqs+https://sqs.example.org',
        'memory:',
        'sqlite:/var/q.db',
      ),
      'sqlite:queues.db': 'sqlite:/app/queues.db',
      'sqlite:../data/my queues.db': 'sqlite:/data/my queues.db',
    },
    bad: {
      'expected sqs, sqs+http://HOST:PORT, sqs+https://HOST, sqlite:PATH or memory:':
        '|SQS|sqs:|sqlite|sqlite:|memory|memory:x|sqs+|sqs+http://|sqs+ftp://x|redis://x|http://x'.split('|'),
    },
  },
  {
    section: 'container',
    key: 'poll',
    name: 'poll',
    unset: 30,
    good: { 20: 20, '0.25': 0.25, '1ms': 0.001, '2h': 7200, '24d': 2_073_600 },
    bad: {
      [aDuration]: ['', 'often', '-1', '1e3', '0x10', '30s junk'],
      'expected 0.001 to 2073600 seconds': ['0', '0.0009', '25d'],
    },
  },
  {
    section: 'container',
    key: 'visibility_timeout',
    name: 'visibilityTimeout',
    unset: undefined,
    good: { 1: 1, 30: 30, '1000ms': 1, '2m': 120, '12h': 43_200 },
    bad: {
      [aDuration]: ['', 'long', '-30'],
      'expected 1 to 43200 whole seconds': ['0', '1.5', '500ms', '43201', '13h'],
    },
  },
  {
    section: 'container',
    key: 'settle_delay',
    name: 'settleDelay',
    unset: 200,
    good: { 0: 0, 50: 50, '50ms': 50, '0.5s': 500, '5s': 5000 },
    bad: {
      'expected a duration such as 200, 500ms or 5m': ['', '-1', 'none'],
      'expected 0 to 5000 milliseconds': ['5001', '1m'],
    },
  },
  {
    section: 'container',
    key: 'on_error',
    name: 'onError',
    unset: 'delete',
    good: same('delete', 'retry'),
    bad: { 'expected delete or retry': ['', 'Delete', 'ignore', 'toString'] },
  },
  {
    section: 'container',
    key: 'message_limit',
    name: 'messageLimit',
    unset: undefined,
    good: { 1: 1, 1000: 1000 },
    bad: {
      'expected a whole number of at least 1': ['', '0', '-1', '1.5', '1e3', '0x10', '1,000', '9'.repeat(16)],
    },
  },
  {
    section: 'container',
    key: 'idle_exit',
    name: 'idleExit',
    unset: undefined,
    good: { '0.5': 0.5, '10m': 600 },
    bad: { [aDuration]: ['', 'never'], 'expected 0.001 to 2073600 seconds': ['0', '25d'] },
  },
  {
    section: 'container',
    key: 'drain_timeout',
    name: 'drainTimeout',
    unset: 30,
    good: { 0: 0, '1.5': 1.5, '1h': 3600 },
    bad: { [aDuration]: ['', '-1'], 'expected 0 to 2073600 seconds': ['100d'] },
  },
  {
    section: 'sqs',
    key: 'region',
    name: 'region',
    unset: undefined,
    good: same('eu-west-1'),
    bad: { 'expected the name of a region, such as eu-west-1': ['', 'eu west 1', 'https://eu-west-1'] },
  },
  {
    section: 'sqs',
    key: 'endpoint',
    name: 'endpoint',
    unset: undefined,
    good: same('https://sqs.eu-west-1.amazonaws.com', 'http://127.0.0.1:4566'),
    bad: { 'expected an http or https URL': ['', 'localhost:4566', 'http://', 'ftp://host'] },
  },
];

describe('the options', () => {
  for (const { section, key, name, unset, good, bad } of tables) {
    describe(`[${section}] ${key}`, () => {
      const settingOf = (text: string): unknown => {
        const config: Config = parseConfig(text, FILE, {});
        return Object.entries(config[section]).find(([property]) => property === name)?.[1];
      };

      it(`is ${unset} if the file has none`, () => {
        expect(settingOf(withOption('worker', 'x', 'y'))).to.equal(unset);
      });

      for (const [written, value] of Object.entries(good)) {
        it(`takes "${written}"`, () => expect(settingOf(withOption(section, key, written))).to.equal(value));
      }

      for (const [message, written] of Object.entries(bad).flatMap(([expected, values]) =>
        values.map((value) => [expected, value] as const),
      )) {
        it(`refuses "${written}"`, () => {
          const text = withOption(section, key, written);
          const line = text.split('\n').indexOf(`${key} = ${written}`) + 1;
          expect(() => settingOf(text))
            .to.throw(ConfigError)
            .with.property('message')
            .that.equals(`${FILE}:${line}: [${section}] ${key} = ${JSON.stringify(written)}: ${message}`);
        });
      }
    });
  }

  it('are all in the tables of this spec', () => {
    const names = tables.map(({ section, name }) => `${section} ${name}`);
    const declared = { container: containerOptions, sqs: sqsOptions };
    expect(names).to.have.members(
      Object.entries(declared).flatMap(([section, { shape }]) =>
        Object.keys(shape).map((name) => `${section} ${name}`),
      ),
    );
  });

  describe('queue and broker', () => {
    const withBroker = (broker: string) =>
      parseConfig(`[container]\nworker = ./a.ts:b\nbroker = ${broker}\nqueue = ${SQS_URL}`, FILE, {});

    for (const broker of ['sqs', 'sqs+http://127.0.0.1:4566']) {
      it(`may be a URL on ${broker}`, () => expect(withBroker(broker).container.queue).to.equal(SQS_URL));
    }

    for (const broker of ['sqlite:queues.db', 'memory:']) {
      it(`must be a name on ${broker}`, () => {
        expect(() => withBroker(broker))
          .to.throw(ConfigError)
          .with.property('message')
          .that.equals(
            `${FILE}:4: [container] queue = "${SQS_URL}": only queues on SQS have URLs; expected the name of the queue, or broker = sqs`,
          );
      });
    }
  });
});
