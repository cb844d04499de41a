import { expect } from 'chai';
import fc from 'fast-check';
import { fullName, nameProblems } from '../../src/config/queue-names.ts';

const URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/mails';

describe('the full name of a queue', () => {
  for (const [name, parts, expected] of [
    ['mails', {}, 'mails'],
    ['mails', { prefix: 'anna' }, 'anna__mails'],
    ['mails', { suffix: 'big' }, 'mails__big'],
    ['mails', { prefix: 'anna', suffix: 'big' }, 'anna__mails__big'],
    ['mails', { prefix: undefined, suffix: undefined }, 'mails'],
    ['mails.fifo', { prefix: 'anna', suffix: 'big' }, 'anna__mails__big.fifo'],
    ['mails.fifo', { prefix: 'anna' }, 'anna__mails.fifo'],
    ['.fifo', { suffix: 'big' }, '__big.fifo'],
    [URL, { prefix: 'anna', suffix: 'big' }, URL],
    [`${URL}.fifo`, { suffix: 'big' }, `${URL}.fifo`],
  ] as const) {
    it(`of ${name} with ${JSON.stringify(parts)} is ${expected}`, () => {
      expect(fullName(name, parts)).to.equal(expected);
    });
  }

  it('is different for different queues, and is FIFO if the queue is', () => {
    const names = fc.stringMatching(/^[\w-]{1,5}(\.fifo)?$/);
    const part = fc.option(fc.stringMatching(/^[\w-]{1,5}$/), { nil: undefined });
    fc.assert(
      fc.property(names, names, part, part, (one, other, prefix, suffix) => {
        const full = fullName(one, { prefix, suffix });
        expect(full === fullName(other, { prefix, suffix })).to.equal(one === other);
        expect(full.endsWith('.fifo')).to.equal(one.endsWith('.fifo'));
      }),
    );
  });
});

describe('the problems with full names', () => {
  const queue = [{ name: 'mails' }, { name: 'bulk.fifo' }];

  it('are usually none', () => {
    const configured = { queue, queuePrefix: 'anna', deadLetterQueue: 'failed' };
    expect(nameProblems(configured)).to.deep.equal([]);
    expect(nameProblems(configured, 'big')).to.deep.equal([]);
    expect(nameProblems({ queue: [{ name: URL.padEnd(200, 'x') }] })).to.deep.equal([]);
  });

  it('can concern both the queues and the dead-letter queue', () => {
    const configured = { queue: [{ name: 'x'.repeat(76) }], deadLetterQueue: 'y'.repeat(80) };
    expect(nameProblems({ ...configured, queuePrefix: 'a' }, 'b').map(({ option }) => option)).to.deep.equal([
      'queue',
      'deadLetterQueue',
    ]);
  });

  it('ignore the suffix for the dead-letter queue', () => {
    expect(nameProblems({ queue, deadLetterQueue: 'x'.repeat(80) }, 'big')).to.deep.equal([]);
    expect(nameProblems({ queue, deadLetterQueue: 'bulk__big.fifo' })).to.deep.equal([]);
    expect(nameProblems({ queue, deadLetterQueue: 'bulk__big.fifo' }, 'big')).to.have.lengthOf(1);
  });

  it('include a URL with a suffix', () => {
    expect(nameProblems({ queue: [...queue, { name: URL }] }, 'big')).to.deep.equal([
      { option: 'queue', text: `a URL cannot have a suffix; expected the name of the queue ${URL}` },
    ]);
    expect(nameProblems({ queue, deadLetterQueue: URL }, 'big')).to.deep.equal([]);
  });
});
