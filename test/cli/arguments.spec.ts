import { expect } from 'chai';
import { parseContainerArguments } from '../../src/cli/container-arguments.ts';
import { parseQueuesArguments } from '../../src/cli/queues-arguments.ts';
import { UsageError } from '../../src/host/exit-codes.ts';

async function expectRefusal(parsing: Promise<unknown>, command: string, advice: string): Promise<void> {
  const refusal = await parsing.catch((error: unknown) => error);
  expect(refusal).to.be.instanceOf(UsageError);
  expect(refusal).to.have.property('message').that.contains(advice);
  expect(refusal)
    .to.have.property('message')
    .that.matches(new RegExp(`^${command}: .*\nSee ${command} --help\\.$`));
}

describe('the arguments of sqs-sequential', () => {
  const parse = (...args: string[]) => parseContainerArguments('sqs-sequential', args);

  it('are an ini file, and options anywhere', async () => {
    expect(await parse('worker.ini')).to.deep.equal({
      file: 'worker.ini',
      check: false,
      printUnit: undefined,
      daemonize: false,
      pidFile: undefined,
      stop: false,
      queues: [],
      suffix: undefined,
      overrides: {},
    });
    expect(await parse('--message-limit', '5', 'worker.ini', '--idle-exit=1m', '--check')).to.deep.include({
      file: 'worker.ini',
      check: true,
      overrides: { messageLimit: 5, idleExit: 60 },
    });
  });

  it('may select some of the queues, and set a suffix for all', async () => {
    const options = ['--queue', 'urgent', '--suffix=big', '--queue=bulk.fifo'];
    expect(await parse(...options, 'worker.ini')).to.deep.include({
      file: 'worker.ini',
      queues: ['urgent', 'bulk.fifo'],
      suffix: 'big',
    });
    expect(await parse('--queue', 'urgent', 'worker.ini')).to.deep.include({
      file: 'worker.ini',
      queues: ['urgent'],
    });
    expect(await parse('--suffix', '007', 'worker.ini')).to.include({ suffix: '007' });
  });

  it('may ask to print a unit, or to start or stop a daemon', async () => {
    expect(await parse('--print-unit', 'worker.ini')).to.include({
      file: 'worker.ini',
      printUnit: 'service',
    });
    expect(await parse('--print-template-unit', 'worker.ini')).to.include({ printUnit: 'template' });
    const daemon = ['worker.ini', '--pid-file', '7'];
    expect(await parse(...daemon, '--daemonize')).to.include({ daemonize: true, pidFile: '7', stop: false });
    expect(await parse(...daemon, '--stop')).to.include({ daemonize: false, pidFile: '7', stop: true });
  });

  it('may name a file that looks like a number or an option', async () => {
    expect(await parse('007')).to.include({ file: '007' });
    expect(await parse('--', '--check')).to.include({ file: '--check', check: false });
  });

  for (const [title, args, advice] of [
    ['no file', [], 'Specify an ini file.'],
    ['an empty file name', [''], 'Specify an ini file.'],
    ['two files', ['a.ini', 'b.ini'], 'Specify only one ini file.'],
    ['an unknown option', ['--chek', 'worker.ini'], 'Unknown option --chek; did you mean --check?'],
    ['--stop without a pid file', ['worker.ini', '--stop'], '--stop also needs --pid-file.'],
    [
      'both a start and a stop',
      ['worker.ini', '--stop', '--daemonize', '--pid-file', 'worker.pid'],
      '--stop and --daemonize cannot be used together.',
    ],
    [
      'a message limit that is not a number',
      ['--message-limit', 'many', 'worker.ini'],
      '--message-limit many: expected a whole number of at least 1',
    ],
    ['a message limit of 0', ['--message-limit', '0', 'worker.ini'], 'a whole number of at least 1'],
    ['two message limits', ['--message-limit=1', '--message-limit=2', 'worker.ini'], '--message-limit 1,2: '],
    [
      'a message limit without a value',
      ['worker.ini', '--message-limit'],
      'Option --message-limit needs a value.',
    ],
    [
      'an invalid idle time',
      ['--idle-exit=-1', 'worker.ini'],
      '--idle-exit -1: expected a duration such as 30, 500ms or 5m',
    ],
    ['an idle time of 0', ['--idle-exit', '0', 'worker.ini'], '--idle-exit 0: expected 0.001 to'],
    ['no name after --queue', ['worker.ini', '--queue'], 'queue'],
    ['no word after --suffix', ['worker.ini', '--suffix'], 'suffix'],
    [
      'a suffix that cannot be part of a queue name',
      ['--suffix', 'a b', 'worker.ini'],
      '--suffix a b: expected a word of up to 40 letters, digits, - and _',
    ],
    ['an empty suffix', ['--suffix=', 'worker.ini'], '--suffix'],
    ['two suffixes', ['--suffix=a', '--suffix=b', 'worker.ini'], '--suffix a,b: expected a word'],
    ['a value for --check', ['--check=maybe', 'worker.ini'], 'check'],
    ['--no-check', ['--no-check', 'worker.ini'], 'Unknown option --no-check'],
  ] as const) {
    it(`are refused with ${title}`, () => expectRefusal(parse(...args), 'sqs-sequential', advice));
  }
});

describe('the arguments of sqs-concurrent', () => {
  it('are the same as those of sqs-sequential', async () => {
    const args = ['worker.ini', '--queue', 'jobs', '--suffix', 'big', '--message-limit', '5', '--check'];
    expect(await parseContainerArguments('sqs-concurrent', args)).to.deep.equal(
      await parseContainerArguments('sqs-sequential', args),
    );
  });

  it('are refused under its own name', () => {
    return expectRefusal(
      parseContainerArguments('sqs-concurrent', []),
      'sqs-concurrent',
      'Specify an ini file.',
    );
  });

  it('are explained under its own name', async () => {
    const help = await parseContainerArguments('sqs-concurrent', ['--help']);
    expect(help)
      .to.have.property('text')
      .that.matches(/^sqs-concurrent FILE\n\n.* many at a time/);
  });
});

describe('the arguments of sqs-queues', () => {
  const parse = (...args: string[]) => parseQueuesArguments(args);

  async function given(...args: string[]): Promise<object> {
    const chosen = await parse(...args);
    return 'given' in chosen ? chosen.given : expect.fail('No command was chosen.');
  }

  for (const [title, args, parsed] of [
    [
      'JSON values, otherwise text',
      ['1', '"007"', 'true', 'null', '[1,"a"]', 'two words'],
      [1, '007', true, null, [1, 'a'], 'two words'],
    ],
    [
      'numbers, and text that only looks like a number',
      ['1e3', '-5', '0.5', '007', '0x10', '+49', '1_000', ''],
      [1000, -5, 0.5, '007', '0x10', '+49', '1_000', ''],
    ],
    [
      'keyword arguments as a final object',
      ['1', '--kw', 'x=3', '--kw', 'name=Ann=a', '--kw=y=-1', '2'],
      [1, 2, { x: 3, name: 'Ann=a', y: -1 }],
    ],
    ['no values at all', [], []],
    ['values that start with dashes', ['1', '--', '--force', '-x', '2'], [1, '--force', '-x', 2]],
  ] as const) {
    it(`of send are ${title}`, async () => {
      expect(await given('send', 'jobs', ...args)).to.deep.equal({ queue: 'jobs', args: parsed });
    });
  }

  it('of send can include a delay, a message group and a file', async () => {
    const options = ['--from=-', '--delay', '5', '--group', '7'];
    expect(await given('send', 'jobs', ...options)).to.deep.equal({
      queue: 'jobs',
      args: [],
      from: '-',
      delaySeconds: 5,
      groupId: '7',
    });
  });

  it('of status can name queues', async () => {
    expect(await given('status')).to.deep.equal({ queues: [] });
    expect(await given('status', '1', '2', '--', '3')).to.deep.equal({ queues: ['1', '2', '3'] });
  });

  it('include the broker and the output format', async () => {
    for (const [args, common] of [
      [['status'], { config: undefined, broker: undefined, json: false }],
      [['-c', 'worker.ini', 'status', '--json'], { config: 'worker.ini', broker: undefined, json: true }],
      [['status', '-b', 'sqlite:q.db'], { config: undefined, broker: 'sqlite:q.db', json: false }],
    ] as const) {
      expect(await parse(...args)).to.have.deep.property('common', common);
    }
  });

  it('of peek, clear and wait have defaults', async () => {
    expect(await given('peek', 'jobs')).to.deep.equal({ queue: 'jobs', count: 10, yes: false });
    expect(await given('peek', 'jobs', '-n', '3', '-y')).to.deep.equal({
      queue: 'jobs',
      count: 3,
      yes: true,
    });
    expect(await given('clear', 'a', 'b')).to.deep.equal({ queues: ['a', 'b'], yes: false });
    expect(await given('wait')).to.deep.equal({ queues: [], cycles: 3, every: 5 });
    expect(await given('wait', 'a', '--cycles=1', '--every=500ms', '--timeout=2m')).to.deep.equal({
      queues: ['a'],
      cycles: 1,
      every: 0.5,
      timeout: 120,
    });
  });

  it('of redrive name the messages and the queues', async () => {
    expect(await given('redrive')).to.deep.equal({ filter: {}, isDryRun: false });
    const filter = ['--match=x', '--attribute', 'a=b=c', '--attribute', 'd=', '--older-than', '2h'];
    expect(
      await given('redrive', 'dead', '--to', 'jobs', ...filter, '--limit', '5', '--dry-run'),
    ).to.deep.equal({
      queue: 'dead',
      to: 'jobs',
      filter: {
        text: 'x',
        attributes: [
          ['a', 'b=c'],
          ['d', ''],
        ],
        olderThan: 7200,
      },
      limit: 5,
      isDryRun: true,
    });
    expect(await given('redrive', '--from', '-', '--to', 'jobs')).to.include({ from: '-', to: 'jobs' });
  });

  it('of cost describe the workload', async () => {
    const cost = await given('cost', '--rate=600/min', '--size=2048', '--containers=3', '--concurrency=5');
    expect(cost).to.deep.include({ containers: 3, isConcurrent: true, settings: { concurrency: 5 } });
    expect(cost).to.have.deep.property('workload', { rate: 10, size: 2048, handling: 0.01 });
  });

  it('of create include the settings of the queue', async () => {
    const options = [
      '--visibility-timeout=5',
      '--delay=1',
      '--retention=60',
      '--content-based-deduplication',
    ];
    expect(
      await given('create', 'jobs.fifo', ...options, '--dead-letter-queue=dead.fifo', '--max-receives=3'),
    ).to.have.deep.property('options', {
      visibilityTimeout: 5,
      delaySeconds: 1,
      retentionSeconds: 60,
      contentBasedDeduplication: true,
      deadLetterQueue: { name: 'dead.fifo', maxReceives: 3 },
    });
    expect(await given('create', 'jobs')).to.have.deep.property('options', {});
  });

  for (const [title, args, advice] of [
    ['no command', [], 'Name a command: status, send, peek, '],
    ['an unknown command', ['delete', 'jobs'], 'Name a command: status, send, peek, '],
    ['no queue to send to', ['send'], 'Name a queue.'],
    ['a misspelled command', ['stauts'], 'Unknown command stauts; did you mean status?'],
    ['an unknown option', ['send', 'jobs', '--colour'], 'Unknown option --colour; expected --config, --'],
    ['a misspelled option', ['wait', 'jobs', '--evry=5'], 'Unknown option --evry; did you mean --every?'],
    [
      'two misspelled options',
      ['cost', '--rte', '5/s', '--idlepause=5s'],
      '--rate? Unknown option --idlepause; ',
    ],
    ['a keyword without a value', ['send', 'jobs', '--kw', 'x'], '--kw takes key=value, not "x"'],
    ['a delay in words', ['send', 'jobs', '--delay', 'soon'], '--delay takes whole seconds, not "soon"'],
    ['both arguments and a file to send', ['send', 'jobs', '1', '--from', 'a.log'], 'not both'],
    ['a number that would be changed', ['send', 'jobs', '[12345678901234567890]'], 'too large to be sent'],
    ['no shell to complete for', ['completion'], 'Name a shell: bash or zsh.'],
    ['another shell', ['completion', 'fish'], 'Name a shell: bash or zsh.'],
    ['no queue to clear', ['clear'], 'Name a queue.'],
    [
      'no messages to peek at',
      ['peek', 'jobs', '--count', '0'],
      '--count takes a whole number of at least 1',
    ],
    ['a wait in words', ['wait', '--every', 'soon'], '--every takes a duration, such as 30s'],
    ['a log and a queue to redrive', ['redrive', 'dead', '--from', 'a.log'], 'not both'],
    ['attributes for a messages log', ['redrive', '--from', 'a.log', '--attribute', 'a=b'], 'bodies only'],
    [
      'an attribute without a value',
      ['redrive', '--attribute', 'a'],
      '--attribute takes name=value, not "a"',
    ],
    ['no rate', ['cost'], 'Give the message rate, for example --rate 50/s'],
    ['a rate without a time', ['cost', '--rate', '50'], '--rate takes a number of messages and a time'],
    [
      'a message that is too large for SQS',
      ['cost', '--rate', '1/s', '--size', '1048577'],
      'at most 1048576 bytes',
    ],
    [
      'both a file and a broker',
      ['status', '-c', 'a.ini', '-b', 'sqs'],
      'Give either an ini file (-c) or a broker (-b), not both.',
    ],
    ['a broker without an address', ['status', '-b'], 'Option -b needs a value.'],
    ['two queues to create', ['create', 'one', 'two'], 'Unexpected argument "two".'],
    ['fractions of seconds', ['create', 'jobs', '--delay', '1.5'], '--delay takes whole seconds, not "1.5"'],
    ['max-receives without a dead-letter queue', ['create', 'jobs', '--max-receives', '3'], 'go together'],
    [
      'a dead-letter queue without max-receives',
      ['create', 'jobs', '--dead-letter-queue', 'dead'],
      'go together',
    ],
    [
      'a dead-letter queue after 0 receives',
      ['create', 'jobs', '--dead-letter-queue', 'dead', '--max-receives', '0'],
      '--max-receives takes a whole number of at least 1, not "0"',
    ],
  ] as const) {
    it(`are refused with ${title}`, () => expectRefusal(parse(...args), 'sqs-queues', advice));
  }
});
