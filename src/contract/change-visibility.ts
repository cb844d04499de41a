/** Contract specs: changing when a received message becomes visible again. */
import { expect } from 'chai';
import { freshQueue, type UnderTest } from './broker-under-test.ts';
import {
  bodies,
  expectOk,
  expectRefused,
  makeVisible,
  receiveAll,
  receiveNow,
  receiveOne,
  send,
} from './operations.ts';

export function changesVisibility(underTest: UnderTest): void {
  describe('changing visibility', () => {
    changesWhenMessagesAreVisible(underTest);
    refusesBadChanges(underTest);
  });
}

function changesWhenMessagesAreVisible(underTest: UnderTest): void {
  it('makes a message visible immediately with 0', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    const { receiptHandle } = await receiveOne(queue);
    expectOk(await queue.changeVisibility([{ receiptHandle, seconds: 0 }]));
    expect((await receiveOne(queue)).receiveCount).to.equal(2);
  });

  it('keeps a message invisible beyond its visibility timeout', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'kept', 'let go');
    const received = await receiveAll(queue, 1);
    const { receiptHandle } = received.find(({ body }) => body === 'kept')!;
    expectOk(await queue.changeVisibility([{ receiptHandle, seconds: 60 }]));
    await underTest().advance(1);
    expect((await receiveOne(queue)).body).to.equal('let go');
    expectOk(await queue.delete([receiptHandle]));
  });

  it('shortens a visibility timeout', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    const { receiptHandle } = await receiveOne(queue, 600);
    expectOk(await queue.changeVisibility([{ receiptHandle, seconds: 1 }]));
    expect(await receiveNow(queue)).to.deep.equal([]);
    await underTest().advance(1);
    expect((await receiveOne(queue)).receiveCount).to.equal(2);
  });

  it('changes ten messages in one request, each by its own seconds, and returns a result for each', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, ...'abcdefghij');
    const changes = (await receiveAll(queue)).map(({ receiptHandle, body }) => ({
      receiptHandle,
      seconds: body < 'd' ? 0 : 60,
    }));
    const results = await queue.changeVisibility(changes);
    expect(results).to.have.length(10);
    expectOk(results);
    expect(bodies(await receiveAll(queue)).sort()).to.deep.equal(['a', 'b', 'c']);
  });
}

function refusesBadChanges(underTest: UnderTest): void {
  it('refuses only an invalid receipt handle, and applies the valid changes in the same request', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'a', 'b');
    const [one, two] = await receiveAll(queue);
    const results = await queue.changeVisibility([
      { receiptHandle: one!.receiptHandle, seconds: 0 },
      { receiptHandle: 'not a handle', seconds: 0 },
      { receiptHandle: two!.receiptHandle, seconds: 0 },
    ]);
    expect(results.map(({ ok }) => ok)).to.deep.equal([true, false, true]);
    expectRefused(results[1]);
    expect(await receiveAll(queue)).to.have.length(2);
  });

  it('refuses more than twelve hours', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    const { receiptHandle } = await receiveOne(queue);
    const [result] = await queue.changeVisibility([{ receiptHandle, seconds: 43_201 }]);
    expectRefused(result);
    expectOk(await queue.changeVisibility([{ receiptHandle, seconds: 43_200 }]));
  });

  it('refuses an old receipt handle for a message that was received again', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    const old = await receiveOne(queue);
    await makeVisible(queue, old);
    await receiveOne(queue);
    const [result] = await queue.changeVisibility([{ receiptHandle: old.receiptHandle, seconds: 0 }]);
    expectRefused(result);
    expect(await receiveNow(queue)).to.deep.equal([]);
  });

  it('refuses a deleted message', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    const { receiptHandle } = await receiveOne(queue);
    await queue.delete([receiptHandle]);
    const [result] = await queue.changeVisibility([{ receiptHandle, seconds: 0 }]);
    expectRefused(result);
  });
}
