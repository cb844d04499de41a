import { expect } from 'chai';
import { formatOf, type LogRecord } from '../../../src/observe/logging/formats.ts';

const record: LogRecord = {
  time: new Date('2026-11-21T08:00:00.123Z'),
  level: 'error',
  logger: 'sequential',
  message: 'Handling a message',
};

function failure(): Error {
  const error = new TypeError('no such user', { cause: new Error('not found') });
  error.stack = 'TypeError: no such user\n    at find (users.ts:3:9)';
  (error.cause as Error).stack = 'Error: not found\n    at get (store.ts:8:2)';
  return error;
}

describe('a log line', () => {
  it('as text has time, level, logger and message', () => {
    expect(formatOf('text')(record)).to.equal(
      '2026-11-21T08:00:00.123Z ERROR sequential: Handling a message',
    );
  });

  it('as text ends with additional fields', () => {
    const fields = { queue: 'adder', receiveCount: 2 };
    expect(formatOf('text')({ ...record, fields })).to.match(
      /Handling a message \(queue=adder receiveCount=2\)$/,
    );
  });

  it('as text is followed by the stack of its error and causes, indented', () => {
    expect(
      formatOf('text')({ ...record, error: failure() })
        .split('\n')
        .slice(1),
    ).to.deep.equal([
      '  TypeError: no such user',
      '      at find (users.ts:3:9)',
      '  Caused by: Error: not found',
      '      at get (store.ts:8:2)',
    ]);
  });

  it('shows a thrown value that is not an Error', () => {
    const circular: { self?: object } = {};
    circular.self = circular;
    for (const [thrown, text] of [
      ['oops', 'oops'],
      [{ code: 7 }, '{"code":7}'],
      [null, 'null'],
      [circular, '[object Object]'],
    ]) {
      expect(formatOf('{message}')({ ...record, error: thrown })).to.equal(
        `Handling a message\n  Thrown: ${text}`,
      );
    }
  });

  it('shows only the plain values of a thrown object, truncated', () => {
    const untouched = {
      get answer(): never {
        throw new Error('The getter ran.');
      },
      toJSON(): never {
        throw new Error('toJSON ran.');
      },
      data: Buffer.alloc(5_000_000),
      agent: new (class Agent {})(),
      code: 10n,
      reasons: Array.from({ length: 1_000 }, (_, index) => ({ index, deep: { deeper: {} } })),
    };
    const thrown = formatOf('{message}')({ ...record, error: untouched });
    expect(thrown).to.match(
      /^ {2}Thrown: \{"data":"\[object Uint8Array\]","agent":"\[object Object\]","code":"10","reasons":\[/m,
    );
    expect(thrown).to.have.length.below(2_100);
    for (const error of [Buffer.alloc(5_000_000), { text: 'x'.repeat(5_000_000) }, 'x'.repeat(5_000_000)]) {
      expect(formatOf('json')({ ...record, error })).to.have.length.below(2_300);
    }
  });

  it('with a template has the fields that the template names', () => {
    expect(formatOf('<{level}> {logger} {message} {time}')(record)).to.equal(
      '<ERROR> sequential Handling a message 2026-11-21T08:00:00.123Z',
    );
  });

  it('as JSON has every value under its name', () => {
    const line = formatOf('json')({ ...record, fields: { messageId: 'm' }, error: failure() });
    expect(JSON.parse(line)).to.deep.equal({
      time: '2026-11-21T08:00:00.123Z',
      level: 'error',
      logger: 'sequential',
      message: 'Handling a message',
      messageId: 'm',
      error: {
        name: 'TypeError',
        message: 'no such user',
        stack: 'TypeError: no such user\n    at find (users.ts:3:9)',
        causes: [
          { name: 'Error', message: 'not found', stack: 'Error: not found\n    at get (store.ts:8:2)' },
        ],
      },
    });
  });

  it('cannot be split in two, or control the terminal, by its content', () => {
    const evil = 'a\n2026 ERROR forged\r\u001b[2J\u0085\u2028b';
    const hostile = { ...record, message: evil, fields: { evil } };
    for (const format of ['text', 'json', '{message}']) {
      expect(formatOf(format)(hostile)).to.not.match(/[\p{Cc}\u2028]/u);
    }
    const error = new Error(evil);
    for (const line of formatOf('text')({ ...record, error })
      .split('\n')
      .slice(1)) {
      expect(line)
        .to.match(/^ {2}/)
        .and.not.match(/[\p{Cc}\u2028]/u);
    }
  });

  it('does not follow circular causes', () => {
    const error = new Error('round');
    error.cause = error;
    expect(formatOf('text')({ ...record, error })).to.include('Caused by: Error: round');
  });
});
