import { expect } from 'chai';
import type { Queue } from '../../src/brokers/broker.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { peekMessages } from '../../src/queues/peek-messages.ts';
import { rejection } from '../support/rejection.ts';

/** A queue whose messages can be read only by a receive, as on SQS. */
async function blindQueue(count: number): Promise<Queue> {
  const queue = await new MemoryBroker().open('jobs');
  for (let sent = 0; sent < count; sent += 1) await queue.send([{ body: String(sent) }]);
  return Object.defineProperty(queue, 'inspect', { value: undefined });
}

describe('peeking into a queue that cannot show messages without a receive', () => {
  it('receives as many messages as requested and returns them', async () => {
    const queue = await blindQueue(25);
    const messages = await peekMessages(queue, 12);
    expect(messages.map(({ body }) => body)).to.deep.equal(
      Array.from({ length: 12 }, (_, index) => String(index)),
    );
    expect(messages[0]).to.include({ receiveCount: 1 }).and.not.have.property('receiptHandle');
    expect(await queue.counts()).to.deep.equal({ visible: 25, inFlight: 0, delayed: 0 });
  });

  it('shows all messages if there are fewer', async () => {
    expect(await peekMessages(await blindQueue(3), 12)).to.have.length(3);
  });

  it('returns the messages that it has when the next receive fails', async () => {
    const queue = await blindQueue(25);
    const receive = queue.receive.bind(queue);
    let receives = 0;
    queue.receive = async (options) => {
      receives += 1;
      if (receives === 2) throw new Error('gone');
      return receive(options);
    };
    expect((await rejection(peekMessages(queue, 12))).message).to.equal('gone');
    expect(await queue.counts()).to.include({ visible: 25, inFlight: 0 });
  });
});
