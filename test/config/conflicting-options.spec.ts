import { expect } from 'chai';
import { parseConfig } from '../../src/config/config.ts';
import { ConfigError, type ConfigProblem } from '../../src/config/config-error.ts';

const SQS_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/adder';
const REQUIRED = { worker: './adder.ts:adder', queue: 'adder' };

type Options = Readonly<Record<string, string>>;

describe('options of [container] that depend on each other', () => {
  const check = (options: Options) => {
    const lines = Object.entries({ ...REQUIRED, ...options }).map((entry) => entry.join(' = '));
    return parseConfig(['[container]', ...lines].join('\n'), '/app/worker.ini', {}).container;
  };
  const withoutSuffix = { queue: 'adder', dead_letter_queue: 'adder__big' };
  const long = 'x'.repeat(74);

  for (const [title, options] of Object.entries<Options>({
    'URLs on SQS': { queue: `${SQS_URL}, adder`, dead_letter_queue: `${SQS_URL}-failed` },
    'URLs on an emulator of SQS': { queue: SQS_URL, broker: 'sqs+http://127.0.0.1:4566' },
    'a dead-letter queue only for messages that crash the process': {
      dead_letter_queue: 'failed',
      on_error: 'retry',
    },
    'FIFO and standard queues with one dead-letter queue': {
      queue: 'a.fifo, b',
      dead_letter_queue: 'failed.fifo',
    },
    'a full name of 80 characters': { queue: long, queue_prefix: 'anna' },
    'a URL longer than 80 characters': { queue: `${SQS_URL}/${long}`, queue_prefix: 'anna' },
    'a dead-letter queue whose name starts with the name of the queue': withoutSuffix,
    'delete_on_start with on_error = delete': { delete_on_start: 'yes', on_error: 'delete' },
  })) {
    it(`can be ${title}`, () => expect(() => check(options)).to.not.throw());
  }

  const noUrls = 'only SQS queues have URLs; expected the name of the queue, or broker = sqs';
  const limit = 'expected at most 80, including prefix and suffix';
  for (const [title, options, key, problem] of [
    ['URLs in a file', { queue: `a, ${SQS_URL}`, broker: 'sqlite:queues.db' }, 'queue', noUrls],
    ['URLs in memory', { queue: SQS_URL, broker: 'memory:' }, 'queue', noUrls],
    [
      'URLs of dead-letter queues in a file',
      { broker: 'sqlite:queues.db', dead_letter_queue: SQS_URL },
      'dead_letter_queue',
      noUrls,
    ],
    [
      'on_error = dead_letter without a dead-letter queue',
      { on_error: 'dead_letter' },
      'on_error',
      'needs a dead-letter queue; add dead_letter_queue = NAME',
    ],
    [
      'delete_on_start for messages that are retried',
      { on_error: 'retry', delete_on_start: 'yes' },
      'delete_on_start',
      'a message that is already deleted cannot be kept when it fails; expected on_error = delete',
    ],
    [
      'delete_on_start for messages that go to the dead-letter queue',
      { on_error: 'dead_letter', dead_letter_queue: 'failed', delete_on_start: 'yes' },
      'delete_on_start',
      'a message that is already deleted cannot be kept when it fails; expected on_error = delete',
    ],
    [
      'a prefix that makes a name too long',
      { queue: `adder, ${long}x`, queue_prefix: 'anna' },
      'queue',
      `its full name, anna__${long}x, has 81 characters; ${limit}`,
    ],
    [
      'a suffix that makes a name too long',
      { queue: `${long}.fifo`, suffixes: 'a, big' },
      'queue',
      `its full name, ${long}__a.fifo, has 82 characters; ${limit}`,
    ],
    [
      'a prefix and a suffix that together make a name too long',
      { queue: long.slice(4), queue_prefix: 'anna', suffixes: 'a, big' },
      'queue',
      `its full name, anna__${long.slice(4)}__big, has 81 characters; ${limit}`,
    ],
    [
      'a prefix that makes the name of the dead-letter queue too long',
      { dead_letter_queue: `${long}x`, queue_prefix: 'anna' },
      'dead_letter_queue',
      `its full name, anna__${long}x, has 81 characters; ${limit}`,
    ],
    [
      'a queue that is its own dead-letter queue',
      { queue: 'adder, bulk*2', dead_letter_queue: 'bulk', queue_prefix: 'anna' },
      'dead_letter_queue',
      'this container consumes "anna__bulk", so it would be its own dead-letter queue; expected another queue',
    ],
    [
      'a queue that is its own dead-letter queue because of its suffix',
      { ...withoutSuffix, suffixes: 'small, big' },
      'dead_letter_queue',
      'this container consumes "adder__big", so it would be its own dead-letter queue; expected another queue',
    ],
    [
      'a URL with suffixes',
      { queue: SQS_URL, suffixes: 'big' },
      'queue',
      `a URL cannot have a suffix; expected the name of the queue ${SQS_URL}`,
    ],
  ] as const) {
    it(`cannot be ${title}`, () => {
      const value = Object.entries<string>({ ...REQUIRED, ...options }).find(([name]) => name === key)?.[1];
      expect(() => check(options))
        .to.throw(ConfigError)
        .with.property('message')
        .that.matches(/^\S+:\d+: /)
        .and.satisfies((message: string) =>
          message.endsWith(`: [container] ${key} = ${JSON.stringify(value)}: ${problem}`),
        );
    });
  }

  it('are also checked when other options are invalid', () => {
    const options = {
      queue: 'a',
      dead_letter_queue: 'a',
      delete_on_start: 'yes',
      on_error: 'retry',
      poll: '',
    };
    expect(() => check(options))
      .to.throw(ConfigError)
      .with.property('problems')
      .that.satisfies((problems: ConfigProblem[]) =>
        expect(problems.map(({ key }) => key)).to.have.members([
          'dead_letter_queue',
          'delete_on_start',
          'poll',
        ]),
      );
  });
});
