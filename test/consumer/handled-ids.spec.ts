import { expect } from 'chai';
import { HandledIds } from '../../src/consumer/handled-ids.ts';

describe('the ids of handled messages', () => {
  const add = (ids: HandledIds, from: number, to: number) => {
    for (let number = from; number < to; number += 1) ids.add(String(number));
  };

  it('are at least the last 10,000, and never more than twice that many', () => {
    const ids = new HandledIds();
    add(ids, 0, 19_999);
    expect(ids.has('0')).to.equal(true);
    ids.add('19999');
    expect(['9999', '10000', '19999'].map((id) => ids.has(id))).to.deep.equal([false, true, true]);
  });

  it('can be deleted, however old they are', () => {
    const ids = new HandledIds();
    add(ids, 0, 10_001);
    ids.delete('0');
    ids.delete('10000');
    expect(['0', '1', '9999', '10000'].map((id) => ids.has(id))).to.deep.equal([false, true, true, false]);
  });
});
