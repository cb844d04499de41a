import { expect } from 'chai';
import { seeded } from '../../harness/random.ts';
import { VirtualTime } from '../../simulation/virtual-time.ts';

const never = () => false;

describe('virtual time', () => {
  let time: VirtualTime;
  let ran: string[];
  beforeEach(() => {
    time = new VirtualTime();
    ran = [];
  });

  function note(at: number, name: string) {
    return time.at(at, () => ran.push(`${name} at ${time.now}`));
  }

  it('jumps from one event to the next, in the order of their times', async () => {
    note(3_600_000, 'late');
    note(5, 'early');
    note(20, 'between');
    await time.run(never);
    expect(ran).to.deep.equal(['early at 5', 'between at 20', 'late at 3600000']);
    expect(time.now).to.equal(3_600_000);
  });

  it('runs events at the same time in the order in which they were added', async () => {
    const random = seeded(1);
    const added = Array.from({ length: 2_000 }, (_, number) => ({ at: Math.floor(random() * 20), number }));
    const order: typeof added = [];
    for (const event of added) time.at(event.at, () => order.push(event));
    await time.run(never);
    expect(order).to.deep.equal(added.toSorted((one, other) => one.at - other.at));
  });

  it('runs events that are added by others, and those of the past now, after those already due', async () => {
    time.at(10, () => {
      note(10, 'the same time');
      note(3, 'the past');
      note(15, 'the future');
    });
    note(10, 'already due');
    await time.run(never);
    expect(ran).to.deep.equal([
      'already due at 10',
      'the same time at 10',
      'the past at 10',
      'the future at 15',
    ]);
  });

  it('does not run canceled events, and their times do not pass', async () => {
    note(1, 'kept');
    time.cancel(note(2, 'canceled'));
    await time.run(never);
    expect(ran).to.deep.equal(['kept at 1']);
    expect(time.now).to.equal(1);
  });

  it('runs all promise callbacks that follow from an event before the next one', async () => {
    time.at(1, async () => {
      for (let link = 0; link < 1_000; link += 1) await undefined;
      ran.push(`the end of a chain at ${time.now}`);
    });
    note(1, 'the next');
    await time.run(never);
    expect(ran).to.deep.equal(['the end of a chain at 1', 'the next at 1']);
  });

  it('also when microtasks and ticks add promises', async () => {
    time.at(1, () => {
      process.nextTick(() => {
        queueMicrotask(() => void Promise.resolve().then(() => process.nextTick(() => ran.push('a tick'))));
      });
    });
    note(1, 'the next');
    await time.run(never);
    expect(ran).to.deep.equal(['a tick', 'the next at 1']);
  });

  it('lets code sleep', async () => {
    const sleeper = async () => {
      await time.sleep(60_000);
      ran.push(`awake at ${time.now}`);
    };
    void sleeper();
    note(59_999, 'before');
    await time.run(never);
    expect(ran).to.deep.equal(['before at 59999', 'awake at 60000']);
  });

  it('stops as soon as it is over, and can continue later', async () => {
    for (let at = 1; at <= 200; at += 1) note(at, 'event');
    await time.run(() => ran.length === 3);
    expect([ran.length, time.now]).to.deep.equal([3, 3]);
    await time.run(never);
    expect(ran).to.have.length(200);
  });

  it('rejects with what an event throws', async () => {
    time.at(1, () => {
      throw new Error('a defect');
    });
    note(2, 'the next');
    let thrown: unknown;
    await time.run(never).catch((error: unknown) => {
      thrown = error;
    });
    expect(thrown).to.be.an('error').with.property('message', 'a defect');
    expect(ran).to.deep.equal([]);
  });
});
