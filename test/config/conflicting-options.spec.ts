import { expect } from 'chai';
import { parseConfig } from '../../src/config/config.ts';
import { ConfigError, type ConfigProblem } from '../../src/config/config-error.ts';

const SQS_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/adder';
const REQUIRED = { worker: './adder.ts:adder', queue: 'adder' };

type Options = Readonly<Record<string, string>>;

describe('options of [container] that are held against each other', () => {
  const check = (options: Options) => {
    const lines = Object.entries({ ...REQUIRED, ...options }).map((entry) => entry.join(' = '));
    return parseConfig(['[container]', ...lines].join('\n'), '/app/worker.ini', {}).container;
  };
  const withoutSuffix = { queue: 'adder', dead_letter_queue: 'adder__big' };
  const long = 'x'.repeat(74);

  for (const [title, options] of Object.entries<Options>({
    'URLs on SQS': { queue: `${SQS_URL}, adder`, dead_letter_queue: `${SQS_URL}-failed` },
    'URLs on an emulator of SQS': { queue: SQS_URL, broker: 'sqs+http://127.0.0.1:4566' },
    'a dead-letter queue for what ends the process only': {
      dead_letter_queue: 'failed',
      on_error: 'retry',
    },
    'FIFO and standard queues with one dead-letter queue': {
      queue: 'a.fifo, b',
      dead_letter_queue: 'failed.fifo',
    },
    'a full name of 80 characters': { queue: long, queue_prefix: 'anna' },
    'a URL longer than 80 characters': { queue: `${SQS_URL}/${long}`, queue_prefix: 'anna' },
    'a dead-letter queue whose name only begins as that of the queue': withoutSuffix,
    'deletes at the start that lose nothing': { delete_on_start: 'yes', on_error: 'delete' },
  })) {
    it(`they may be ${title}`, () => expect(() => check(options)).to.not.throw());
  }

  const noUrls = 'only queues on SQS have URLs; expected the name of the queue, or broker = sqs';
  const limit = 'expected at most 80, prefix and suffix included';
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
      'needs the queue to put it in; expected dead_letter_queue = NAME, too',
    ],
    [
      'deletes at the start of what is to be retried',
      { on_error: 'retry', delete_on_start: 'yes' },
      'delete_on_start',
      'a message that is gone cannot be kept when it fails; expected on_error = delete',
    ],
    [
      'deletes at the start of what is to go to the dead-letter queue',
      { on_error: 'dead_letter', dead_letter_queue: 'failed', delete_on_start: 'yes' },
      'delete_on_start',
      'a message that is gone cannot be kept when it fails; expected on_error = delete',
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
      'a prefix and a suffix that do so together',
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
      '"anna__bulk" is handled here, and would be its own dead-letter queue; expected another queue',
    ],
    [
      'one that is so by its suffix',
      { ...withoutSuffix, suffixes: 'small, big' },
      'dead_letter_queue',
      '"adder__big" is handled here, and would be its own dead-letter queue; expected another queue',
    ],
    [
      'suffixes of a URL',
      { queue: SQS_URL, suffixes: 'big' },
      'queue',
      `a URL takes no suffix; expected the name of the queue ${SQS_URL}`,
    ],
  ] as const) {
    it(`they may not be ${title}`, () => {
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

  it('also beside others that are wrong', () => {
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
