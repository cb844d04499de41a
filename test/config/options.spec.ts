import { expect } from 'chai';
import { ADDRESSES } from '../../src/brokers/address.ts';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { containerOptions, httpOptions, sqsOptions } from '../../src/config/options.ts';

const FILE = '/app/worker.ini';
const SQS_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/adder';
const REQUIRED = { worker: './adder.ts:adder', queue: 'adder' };

/** An ini file with the required options, and these options of a section. */
function withOptions(section: string, options: Options): string {
  const sections =
    section === 'container'
      ? { container: { ...REQUIRED, ...options } }
      : { container: REQUIRED, [section]: options };
  return Object.entries(sections)
    .flatMap(([name, entries]) => [`[${name}]`, ...Object.entries(entries).map((entry) => entry.join(' = '))])
    .join('\n');
}

type Options = Readonly<Record<string, string>>;

/** The values that an option accepts and refuses. */
interface OptionTable {
  readonly section: 'container' | 'sqs' | 'http';
  readonly key: string;
  /** The name of its property in the config. */
  readonly name: string;
  /** Other options of its section that it needs. */
  readonly alongside?: Options;
  /** Its value in the config if the file does not set it. */
  readonly unset: unknown;
  /** The text in the file → the value in the config. */
  readonly good: Readonly<Record<string, unknown>>;
  /** The error's message → the texts in the file. */
  readonly bad: Readonly<Record<string, readonly string[]>>;
}

function same(...values: string[]): Record<string, string> {
  return Object.fromEntries(values.map((value) => [value, value]));
}

function only(name: string) {
  return [{ name, weight: 1 }];
}

const aQueue =
  'expected a queue name (up to 80 letters, digits, - and _, then .fifo for a FIFO queue) or URL';
const noQueues = [
  '',
  'two words',
  'a.b',
  '.fifo',
  'a.fifo.fifo',
  'x'.repeat(81),
  `${'x'.repeat(76)}.fifo`,
  'ä',
  'http://',
  'ftp://host/q',
];
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
    unset: only('adder'),
    good: {
      ...Object.fromEntries(
        ['a', 'Adder_2-x', 'adder.fifo', 'x'.repeat(80), SQS_URL, 'http://127.0.0.1:4566/0000/adder'].map(
          (name) => [name, only(name)],
        ),
      ),
      'a*3': [{ name: 'a', weight: 3 }],
      'a*1': only('a'),
      'urgent*1000, bulk': [
        { name: 'urgent', weight: 1000 },
        { name: 'bulk', weight: 1 },
      ],
      'a  ,b.fifo * 2 ,  c': [
        { name: 'a', weight: 1 },
        { name: 'b.fifo', weight: 2 },
        { name: 'c', weight: 1 },
      ],
      [`${SQS_URL}*2,b`]: [
        { name: SQS_URL, weight: 2 },
        { name: 'b', weight: 1 },
      ],
    },
    bad: {
      [`${aQueue}; or several, such as urgent*3, bulk`]: [
        ...noQueues,
        ',',
        'a,',
        ',a',
        'a,,b',
        'a b, c',
        '*3',
        '*',
      ],
      'expected whole numbers from 1 to 1000 as weights, as in urgent*3, bulk': [
        'a*0',
        'a*',
        'a*1.5',
        'a*-1',
        'a*+1',
        'a*1e2',
        'a*0x2',
        'a*many',
        'a*2*3',
        'a*1001',
        `a*${'9'.repeat(400)}`,
        'b, a*0',
      ],
      'expected each queue once; to give a queue more slots, add a weight, as in urgent*3, bulk': [
        'a, a',
        'a*2, b, a',
        `${SQS_URL},${SQS_URL}*3`,
      ],
    },
  },
  {
    section: 'container',
    key: 'queue_prefix',
    name: 'queuePrefix',
    unset: undefined,
    good: same('anna', 'Dev-2_x', '0', 'x'.repeat(40)),
    bad: {
      'expected a word of up to 40 letters, digits, - and _': ['', 'a b', 'a.b', 'ä', 'a/b', 'x'.repeat(41)],
    },
  },
  {
    section: 'container',
    key: 'suffixes',
    name: 'suffixes',
    unset: undefined,
    good: { big: ['big'], 'big, small': ['big', 'small'], 'a-1  ,b_2,3': ['a-1', 'b_2', '3'] },
    bad: {
      'expected words of up to 40 letters, digits, - and _, separated by commas': [
        '',
        ',',
        'big,',
        'big small',
        'big*2',
        'big.fifo',
        'x'.repeat(41),
      ],
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
        'postgres://me@host:5432/queues?sslmode=require',
        'postgresql:///queues?host=/run/postgresql',
        'redis://:pw@host/1',
        'rediss://host:6380',
        './my-broker.ts:MyBroker',
        '../my broker.js:brokers.mine',
        '@acme/brokers/rabbit:Rabbit',
        'beanstalk:Broker',
      ),
      'sqlite:queues.db': 'sqlite:/app/queues.db',
      'sqlite:../data/my queues.db': 'sqlite:/data/my queues.db',
    },
    bad: {
      [`expected ${ADDRESSES}`]:
        '|SQS|sqs:|sqlite|sqlite:|memory|memory:x|sqs+|sqs+http://|sqs+ftp://x|http://x|mysql://x|postgres:x|./x.ts|./x.ts:'.split(
          '|',
        ),
      'did you mean "sqlite"?': ['sqlit:queues.db', 'SQLite:queues.db'],
      'did you mean "postgres"?': ['postgre://host/queues', 'Postgres://host/queues'],
      'did you mean "redis"?': ['redi://host', 'reddis://host'],
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
    key: 'idle_pause',
    name: 'idlePause',
    unset: 0,
    good: { 0: 0, '0.5': 0.5, '1m': 60, '24d': 2_073_600 },
    bad: { [aDuration]: ['', 'auto', '-1'], 'expected 0 to 2073600 seconds': ['25d'] },
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
    key: 'handler_timeout',
    name: 'handlerTimeout',
    unset: undefined,
    good: { '0.5': 0.5, '5m': 300, '24d': 2_073_600 },
    bad: { [aDuration]: ['', 'none', '-1'], 'expected 0.001 to 2073600 seconds': ['0', '25d'] },
  },
  {
    section: 'container',
    key: 'concurrency',
    name: 'concurrency',
    unset: 10,
    good: { 1: 1, 250: 250 },
    bad: { 'expected a whole number of at least 1': ['', '0', '-1', '2.5', '1e3', 'auto'] },
  },
  {
    section: 'container',
    key: 'processes',
    name: 'processes',
    unset: 1,
    good: { 1: 1, 8: 8, auto: 'auto' },
    bad: { 'expected auto or a whole number of at least 1': ['', '0', '-1', '1.5', 'Auto', 'all'] },
  },
  {
    section: 'container',
    key: 'prefetch',
    name: 'prefetch',
    unset: 'auto',
    good: { 0: 0, 10: 10, auto: 'auto' },
    bad: { 'expected auto or a whole number of at least 0': ['', '-1', '1.5', 'AUTO', 'none'] },
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
    alongside: { dead_letter_queue: 'adder-failed' },
    unset: 'delete',
    good: same('delete', 'retry', 'dead_letter'),
    bad: {
      'expected delete, retry or dead_letter': ['', 'Delete', 'ignore', 'dead-letter', 'toString'],
    },
  },
  {
    section: 'container',
    key: 'dead_letter_queue',
    name: 'deadLetterQueue',
    unset: undefined,
    good: same('failed', 'failed.fifo', 'x'.repeat(80), SQS_URL),
    bad: { [aQueue]: [...noQueues, 'a*3', 'a, b'] },
  },
  {
    section: 'container',
    key: 'backoff',
    name: 'backoff',
    unset: 'none',
    good: same('none', 'constant', 'exponential'),
    bad: { 'expected none, constant or exponential': ['', 'linear', 'Constant', '5'] },
  },
  {
    section: 'container',
    key: 'backoff_base',
    name: 'backoffBase',
    unset: 2,
    good: { 0: 0, '1.5': 1.5, '1m': 60, '12h': 43_200 },
    bad: { [aDuration]: ['', 'e', '-1'], 'expected 0 to 43200 seconds': ['43201', '13h'] },
  },
  {
    section: 'container',
    key: 'backoff_max',
    name: 'backoffMax',
    unset: 1800,
    good: { 0: 0, '10m': 600, '12h': 43_200 },
    bad: { [aDuration]: ['', 'none', '-1'], 'expected 0 to 43200 seconds': ['13h'] },
  },
  {
    section: 'container',
    key: 'backoff_spread',
    name: 'backoffSpread',
    unset: 0.1,
    good: { 0: 0, '0.25': 0.25, 1: 1, '1.0': 1, '0.00000049': 0 },
    bad: { 'expected a number from 0 to 1': ['', '-0.1', '1.01', '10%', '.5', '1e-1', 'NaN'] },
  },
  {
    section: 'container',
    key: 'crash_limit',
    name: 'crashLimit',
    unset: 5,
    good: { 0: 0, 3: 3 },
    bad: { 'expected a whole number of at least 0': ['', '-1', '1.5', 'never'] },
  },
  {
    section: 'container',
    key: 'delete_on_start',
    name: 'deleteOnStart',
    unset: false,
    good: {
      ...Object.fromEntries(['yes', 'Yes', 'true', 'on', '1'].map((word) => [word, true])),
      ...Object.fromEntries(['no', 'NO', 'false', 'off', '0'].map((word) => [word, false])),
    },
    bad: { 'expected yes or no': ['', 'y', 'always', '2'] },
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
    key: 'max_memory',
    name: 'maxMemory',
    unset: undefined,
    good: {
      '32M': 33_554_432,
      '512M': 536_870_912,
      '1.5G': 1_610_612_736,
      '65536K': 67_108_864,
      536870912: 536_870_912,
    },
    bad: {
      'expected a size such as 512M or 2G': [
        '',
        '512 M',
        '512m',
        '512MB',
        '-1G',
        '80%',
        'lots',
        '1e9',
        '9999999999G',
      ],
      'expected at least 32M': ['0', '512', '512K', '31M', '0G'],
    },
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
  {
    section: 'http',
    key: 'listen',
    name: 'listen',
    unset: undefined,
    good: {
      ...same('127.0.0.1:8125', 'localhost:0', '[::1]:8125', '0.0.0.0:65535', '/run/status.sock'),
      './status.sock': '/app/status.sock',
      'run/status:1': '/app/run/status:1',
    },
    bad: {
      'expected HOST:PORT such as 127.0.0.1:8125, or the path of a Unix socket such as ./status.sock': [
        '',
        '8125',
        ':8125',
        'localhost',
        'localhost:65536',
        '[127.0.0.1]:8125',
        '::1:8125',
        'http://localhost:8125',
        '/run/',
      ],
    },
  },
  {
    section: 'http',
    key: 'token_file',
    name: 'tokenFile',
    unset: undefined,
    good: { token: '/app/token', '/etc/token': '/etc/token' },
    bad: { 'expected the path of a file': [''] },
    alongside: { listen: '127.0.0.1:8125' },
  },
];

describe('the options', () => {
  for (const { section, key, name, alongside = {}, unset, good, bad } of tables) {
    describe(`[${section}] ${key}`, () => {
      const settingOf = (text: string): unknown => {
        const config: Config = parseConfig(text, FILE, {});
        return Object.entries(config[section]).find(([property]) => property === name)?.[1];
      };

      it(`is ${JSON.stringify(unset)} by default`, () => {
        expect(settingOf(withOptions(section, alongside))).to.deep.equal(unset);
      });

      for (const [written, value] of Object.entries(good)) {
        it(`accepts "${written}"`, () => {
          expect(settingOf(withOptions(section, { ...alongside, [key]: written }))).to.deep.equal(value);
        });
      }

      for (const [message, written] of Object.entries(bad).flatMap(([expected, values]) =>
        values.map((value) => [expected, value] as const),
      )) {
        it(`refuses "${written}"`, () => {
          const text = withOptions(section, { ...alongside, [key]: written });
          const line = text.split('\n').indexOf(`${key} = ${written}`) + 1;
          expect(() => settingOf(text))
            .to.throw(ConfigError)
            .with.property('message')
            .that.equals(`${FILE}:${line}: [${section}] ${key} = ${JSON.stringify(written)}: ${message}`);
        });
      }
    });
  }

  it('are all covered by this spec', () => {
    const names = tables.map(({ section, name }) => `${section} ${name}`);
    const declared = { container: containerOptions, sqs: sqsOptions, http: httpOptions };
    expect(names).to.have.members(
      Object.entries(declared).flatMap(([section, { shape }]) =>
        Object.keys(shape).map((name) => `${section} ${name}`),
      ),
    );
  });

  it('reject token_file without a status server', () => {
    expect(() => parseConfig(withOptions('http', { token_file: 'token' }), FILE, {})).to.throw(
      `${FILE}:5: [http] token_file = "token": there is no status server to use it; add listen = 127.0.0.1:8125`,
    );
  });
});
