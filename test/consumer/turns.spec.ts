import { expect } from 'chai';
import type { Delivery } from '../../src/consumer/delivery.ts';
import type { Source } from '../../src/consumer/source.ts';
import { Turns } from '../../src/consumer/turns.ts';
import { Waiting } from '../../src/consumer/waiting.ts';

describe('the turns of queues', () => {
  const source = (weight: number, ...groups: readonly (string | undefined)[]): Source => {
    const waiting = new Waiting();
    for (const group of groups) waiting.add({ group } as Delivery);
    return { weight, waiting, active: groups.length > 0 } as Source;
  };

  it('give each a share of the slots by its weight, among those that have something to run', () => {
    const [urgent, bulk, idle] = [source(3, undefined), source(1, undefined), source(4)];
    const turns = new Turns([urgent, bulk, idle]);
    expect([urgent, bulk, idle].map((one) => turns.shareOf(one))).to.deep.equal([0.75, 0.25, 0.5]);
  });

  it('know what the others could start: of a message group one message', () => {
    const [orders, steps, mails] = [source(1, undefined), source(1, 'a', 'a', 'b'), source(1)];
    const turns = new Turns([orders, steps, mails]);
    expect([orders, steps, mails].map((one) => turns.readyBeside(one))).to.deep.equal([2, 1, 3]);
  });
});
