import { expect } from 'chai';
import { formatHead, receivedMessage, shownMessages } from '../../src/brokers/redis/record.ts';

const SEPARATOR = '6f1c2d';

/** A message as a script returns it. */
function shown(number: number, receiveCount: number, body: string): string {
  return `${number} ${receiveCount} 1763723055123 ${formatHead(`id-${number}`, { body })}${body}${SEPARATOR}`;
}

describe('messages returned by Redis scripts', () => {
  it('keep their bodies, including digits, spaces and line breaks', () => {
    const texts = ['1 2 3', '', 'a\n\n\nb ü🙂'];
    const text = texts.map((body, index) => shown(index + 1, index + 4, body)).join('');
    const messages = shownMessages(text, SEPARATOR).map((one) => receivedMessage(one, SEPARATOR, false));
    expect(messages.map(({ id, body, receiveCount }) => [id, body, receiveCount])).to.deep.equal([
      ['id-1', '1 2 3', 4],
      ['id-2', '', 5],
      ['id-3', 'a\n\n\nb ü🙂', 6],
    ]);
    expect(messages.map(({ sentAt }) => sentAt)).to.deep.equal(texts.map(() => 1763723055123));
  });

  it('are empty when a receive took none', () => {
    expect(shownMessages('', SEPARATOR)).to.deep.equal([]);
  });

  it('have a different receipt handle for each receive', () => {
    const [first, second] = [1, 2].map((count) => shownMessages(shown(7, count, 'x'), SEPARATOR)[0]!);
    expect(receivedMessage(first!, SEPARATOR, false).receiptHandle).to.equal(`7-1_${SEPARATOR}`);
    expect(receivedMessage(second!, SEPARATOR, false).receiptHandle).to.equal(`7-2_${SEPARATOR}`);
  });
});
