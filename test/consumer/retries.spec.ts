import { expect } from 'chai';
import sinon from 'sinon';
import { Retries } from '../../src/consumer/retries.ts';

describe('what is tried again', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('comes once: when its pause is over, or when all of it is taken before', () => {
    const again = sinon.spy();
    const retries = new Retries<string>(again);
    retries.add('soon', 1);
    retries.add('later', 9);
    clock.tick(1_000);
    expect(again.args).to.deep.equal([['soon']]);
    expect(retries.takeAll()).to.deep.equal(['later']);
    expect(retries.takeAll()).to.deep.equal([]);
    clock.tick(60_000);
    expect(again.callCount).to.equal(1);
    expect(clock.countTimers()).to.equal(0);
  });
});
