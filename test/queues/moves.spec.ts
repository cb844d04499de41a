import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import type { Move } from '../../src/brokers/broker.ts';
import { follow } from '../../src/queues/moves.ts';

describe('a move by the broker', () => {
  let clock: SinonFakeTimers;
  beforeEach(() => {
    clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    expect(clock.countTimers()).to.equal(0);
    clock.restore();
  });

  const at = (moved: number, more: Partial<Move> = {}): Move => ({
    moved,
    total: 3,
    isOver: false,
    isCancelled: false,
    ...more,
  });

  it('is looked at each second until it is over', async () => {
    const looks = [at(0), at(2), at(3, { isOver: true })];
    const seen: number[] = [];
    const move = { look: async () => looks.shift()!, cancel: async () => expect.fail('cancelled') };
    const following = follow(move, new AbortController().signal, ({ moved }) => seen.push(moved));
    await clock.tickAsync(1_999);
    expect(seen).to.deep.equal([0, 2]);
    await clock.tickAsync(1);
    expect(await following).to.include({ moved: 3, isOver: true });
  });

  it('is cancelled once by the signal, at once, and followed to its end', async () => {
    let cancels = 0;
    const controller = new AbortController();
    const looks = [at(0), at(1), at(1), at(1, { isOver: true, isCancelled: true })];
    const cancel = async () => {
      cancels += 1;
    };
    const following = follow({ look: async () => looks.shift()!, cancel }, controller.signal, () => {});
    await clock.tickAsync(10);
    controller.abort();
    await clock.tickAsync(0);
    expect(cancels).to.equal(1);
    await clock.tickAsync(2_000);
    expect(await following).to.include({ moved: 1, isCancelled: true });
    expect(cancels).to.equal(1);
  });
});
