import { expect } from 'chai';
import fc from 'fast-check';
import type { HeldMessage } from '../../src/consumer/held-message.ts';
import { WaitingMessages } from '../../src/consumer/waiting-messages.ts';
import { heldMessage } from './held.ts';

describe('waiting messages', () => {
  const inGroup = (group: string | undefined, body: string): HeldMessage =>
    heldMessage(body, { group, queue: { name: 'work.fifo', fifo: true } });

  it('start in order, one per group at a time', () => {
    const waiting = new WaitingMessages();
    const [a0, a1, b0, alone] = ['a', 'a', 'b', undefined].map((group) => inGroup(group, '')) as [
      HeldMessage,
      HeldMessage,
      HeldMessage,
      HeldMessage,
    ];
    for (const one of [a0, a1, b0, alone]) waiting.add(one);
    expect([waiting.size, waiting.ready]).to.deep.equal([4, 3]);
    expect([waiting.take(), waiting.take(), waiting.take(), waiting.take()]).to.deep.equal([
      a0,
      b0,
      alone,
      undefined,
    ]);
    expect([waiting.size, waiting.ready]).to.deep.equal([1, 0]);
    waiting.finished(a0);
    expect(waiting.ready).to.equal(1);
    expect(waiting.take()).to.equal(a1);
  });

  it('know how many could start, whatever was added, finished or removed', () => {
    const step = fc.record({
      what: fc.constantFrom('add', 'take', 'finish', 'remove', 'behind'),
      group: fc.constantFrom('a', 'b', 'c', undefined),
      pick: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const waiting = new WaitingMessages();
        let inside: HeldMessage[] = [];
        const taken: HeldMessage[] = [];
        for (const { what, group, pick } of steps) {
          if (what === 'add') {
            const added = inGroup(group, String(pick));
            inside.push(added);
            waiting.add(added);
          } else if (what === 'take') {
            const next = waiting.take();
            const expected = inside.find(
              (one) => one.group === undefined || !taken.some((other) => other.group === one.group),
            );
            expect(next).to.equal(expected);
            if (next) taken.push(next);
            inside = inside.filter((one) => one !== next);
          } else if (what === 'finish' && taken.length > 0) {
            const [ended] = taken.splice(pick % taken.length, 1);
            waiting.finished(ended!);
          } else if (what === 'remove' && inside.length > 0) {
            const [removed] = inside.splice(pick % inside.length, 1);
            waiting.remove(removed!);
          } else if (what === 'behind' && group !== undefined) {
            const behind = waiting.takeBehind(inGroup(group, ''));
            expect(behind).to.deep.equal(inside.filter((one) => one.group === group));
            inside = inside.filter((one) => one.group !== group);
          }
          const groups = new Set(inside.map((one) => one.group).filter((name) => name !== undefined));
          for (const one of taken) if (one.group !== undefined) groups.delete(one.group);
          const alone = inside.filter((one) => one.group === undefined).length;
          expect([waiting.size, waiting.ready]).to.deep.equal([inside.length, alone + groups.size]);
        }
      }),
    );
  });
});
