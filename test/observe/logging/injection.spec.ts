// Whatever a message id, a body, a queue name or an error contains, it cannot add a log line or control a terminal.
import { expect } from 'chai';
import fc from 'fast-check';
import { withPriority } from '../../../src/observe/logging/destination.ts';
import { formatOf, type LogRecord } from '../../../src/observe/logging/formats.ts';
import { codePoint } from '../../support/code-point.ts';

/** Line ends, terminal control sequences, and bidirectional controls. */
const DANGEROUS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;
const evil = fc.constantFrom(
  '\n2026-11-21T10:00:00.000Z ERROR sequential: forged',
  '\r\n<0>forged',
  '<3>',
  '\u001b[2J\u001b]0;title\u0007',
  '\u009b31m',
  '\u202eevil\u2066',
  '\u2028forged',
  '\0',
  '{message}',
  '"}\n{"level":"error"}',
);
const text = fc
  .array(fc.oneof(evil, fc.string({ unit: codePoint, maxLength: 10 })), { maxLength: 5 })
  .map((parts) => parts.join(''));

function errorOf(message: string, cause: unknown): Error {
  return new Error(message, { cause });
}

const error = fc.oneof(
  fc.constant(undefined),
  text,
  fc
    .tuple(
      text,
      fc.oneof(
        text,
        text.map((message) => new TypeError(message)),
      ),
    )
    .map(([message, cause]) => errorOf(message, cause)),
  fc.dictionary(text, text, { noNullPrototype: false }),
);
const record: fc.Arbitrary<LogRecord> = fc.record(
  {
    time: fc.constant(new Date(0)),
    level: fc.constantFrom('error', 'info'),
    logger: fc.constant('sequential'),
    message: text,
    error,
    fields: fc.record({ queue: text, messageId: text, receiveCount: fc.nat() }),
  },
  { requiredKeys: ['time', 'level', 'logger', 'message'] },
);

describe('a log', () => {
  for (const format of ['text', '{message}', '{level} {message} {time}'] as const) {
    it(`has a record on one line as ${format}, with only the lines of its error indented below it`, () => {
      fc.assert(
        fc.property(record, (given) => {
          const [head = '', ...others] = formatOf(format)(given).split('\n');
          for (const line of [head, ...others]) expect(line).not.to.match(DANGEROUS);
          for (const line of others) expect(line).to.match(/^ {2}/);
          if (given.error === undefined) expect(others).to.deep.equal([]);
        }),
      );
    });
  }

  it('has a complete record on one line as JSON', () => {
    fc.assert(
      fc.property(record, (given) => {
        const line = formatOf('json')(given);
        expect(line).not.to.match(DANGEROUS);
        const { message, level, messageId } = JSON.parse(line) as Record<string, unknown>;
        expect({ message, level, messageId }).to.deep.equal({
          message: given.message,
          level: given.level,
          messageId: given.fields?.messageId,
        });
      }),
    );
  });

  it("puts a priority before each line for the journal, so that a line's content cannot set it", () => {
    fc.assert(
      fc.property(record, fc.constantFrom('text', 'json', '{message}'), (given, format) => {
        const priority = given.level === 'error' ? '<3>' : '<6>';
        const written = formatOf(format)(given);
        const lines = withPriority(written, given.level).split('\n');
        expect(lines.map((line) => line.slice(0, 3))).to.deep.equal(lines.map(() => priority));
        expect(lines.map((line) => line.slice(3)).join('\n')).to.equal(written);
      }),
    );
  });
});
