/** Contract specs: sent messages, delays and size limits. */
import { expect } from 'chai';
import { freshQueue, type Traits, type UnderTest } from './broker-under-test.ts';
import {
  bodies,
  brokerError,
  expectRefused,
  receiveAll,
  receiveNow,
  receiveOne,
  send,
  sortedBodies,
} from './operations.ts';

export function sends(underTest: UnderTest, traits: Required<Traits>): void {
  describe('sending', () => {
    keepsWhatWasSent(underTest, traits);
    delaysMessages(underTest, traits);
    limitsSizes(underTest);
  });
}

function keepsWhatWasSent(underTest: UnderTest, traits: Required<Traits>): void {
  it('delivers a message with an id, its time sent and a receive count of 1', async () => {
    const queue = await freshQueue(underTest());
    const before = Date.now();
    const [sent] = await send(queue, 'a body');
    const message = await receiveOne(queue);
    expect(message.body).to.equal('a body');
    expect(message.id).to.equal(sent?.messageId).and.to.be.a('string').that.is.not.empty;
    expect(message.receiveCount).to.equal(1);
    expect(message.sentAt).to.be.within(before - 1000, Date.now() + 1000);
    expect(message.attributes).to.deep.equal({});
    expect(message).not.to.have.any.keys('groupId', 'deduplicationId', 'sequenceNumber');
  });

  it('carries attributes of type String, Number and Binary', async () => {
    const queue = await freshQueue(underTest());
    const attributes = {
      ContentType: { dataType: 'String', stringValue: 'json' },
      size: { dataType: 'Number.int', stringValue: '12' },
      digest: { dataType: 'Binary', binaryValue: new Uint8Array([0, 1, 127, 128, 255]) },
    };
    await send(queue, { body: 'x', attributes });
    const received = (await receiveOne(queue)).attributes;
    expect(received).to.have.all.keys('ContentType', 'size', 'digest');
    expect(received.ContentType).to.deep.include(attributes.ContentType);
    expect(received.size).to.deep.include(attributes.size);
    expect(received.digest?.dataType).to.equal('Binary');
    expect([...(received.digest?.binaryValue ?? [])]).to.deep.equal([0, 1, 127, 128, 255]);
  });

  it('leaves bodies unchanged', async () => {
    const queue = await freshQueue(underTest());
    const all = [
      '[[1,2],{"x":"\\u0000"}]',
      ' two\nlines\r\n\tand "quotes\' ',
      'Grüße, 世界, \ufffd',
      '0',
      'null',
    ];
    if (traits.controlCharacters) all.push('a\u0000b\u0001\u001b');
    if (traits.astralCharacters) all.push('🐌 and 𝄞');
    await send(queue, ...all);
    expect(sortedBodies(await receiveAll(queue))).to.deep.equal(all.toSorted());
  });

  it('returns a result for each of ten messages, in order', async () => {
    const queue = await freshQueue(underTest());
    const all = Array.from({ length: 10 }, (_, index) => `body ${index}`);
    const results = await send(queue, ...all);
    const idsByBody = new Map((await receiveAll(queue)).map(({ body, id }) => [body, id]));
    expect(all.map((body) => idsByBody.get(body))).to.deep.equal(results.map((result) => result.messageId));
    expect(new Set(idsByBody.values())).to.have.property('size', 10);
  });
}

function delaysMessages(underTest: UnderTest, traits: Required<Traits>): void {
  it('holds a message back for its delay', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, { body: 'later', delaySeconds: 1 }, 'now');
    expect(bodies(await receiveAll(queue))).to.deep.equal(['now']);
    await underTest().advance(1);
    expect((await receiveOne(queue)).body).to.equal('later');
  });

  it("holds messages back for the queue's delay, unless they have their own", async () => {
    const queue = await freshQueue(underTest(), { delaySeconds: 1 });
    await send(queue, "the queue's", { body: 'its own', delaySeconds: 0 });
    expect(bodies(await receiveAll(queue))).to.deep.equal(['its own']);
    await underTest().advance(1);
    expect((await receiveOne(queue)).body).to.equal("the queue's");
  });

  it('accepts the maximum delay', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, { body: 'x', delaySeconds: underTest().broker.maxDelaySeconds });
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 1 });
    expect(await receiveNow(queue)).to.deep.equal([]);
  });

  if (traits.refusesLongDelays) {
    it('refuses only the entry with a delay above the maximum', async () => {
      const queue = await freshQueue(underTest());
      const { maxDelaySeconds } = underTest().broker;
      const results = await queue.send([
        { body: 'too late', delaySeconds: maxDelaySeconds + 1 },
        { body: 'good' },
      ]);
      expectRefused(results[0]);
      expect(results[1]?.ok).to.equal(true);
      expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
      expect(bodies(await receiveAll(queue))).to.deep.equal(['good']);
    });
  }
}

function limitsSizes(underTest: UnderTest): void {
  it('carries a message of the maximum size', async () => {
    const queue = await freshQueue(underTest());
    const body = 'x'.repeat(queue.limits.maxMessageBytes);
    await send(queue, body);
    expect((await receiveOne(queue)).body === body, 'the body is the same').to.equal(true);
  });

  it('refuses a message one byte larger, counting UTF-8 bytes and attributes', async () => {
    const queue = await freshQueue(underTest());
    const { maxMessageBytes } = queue.limits;
    const [bytes] = await queue.send([{ body: `ü${'x'.repeat(maxMessageBytes - 1)}` }]);
    expectRefused(bytes);
    const attributes = { a: { dataType: 'String', stringValue: 'b' } };
    const [attributed] = await queue.send([{ body: 'x'.repeat(maxMessageBytes - 7), attributes }]);
    expectRefused(attributed);
    expect(await receiveNow(queue)).to.deep.equal([]);
  });

  it('refuses a request whose messages together are too large', async () => {
    const queue = await freshQueue(underTest());
    const body = 'x'.repeat(queue.limits.maxRequestBytes / 2);
    const error = await brokerError(queue.send([{ body }, { body: `${body}x` }]));
    expect(error.kind).to.equal('rejected');
    expect(await receiveNow(queue)).to.deep.equal([]);
  });
}
