// The scheduler without a run loop. For the run loop, see run-loop-slots.spec.ts and several-queues.spec.ts.
import { expect } from 'chai';
import {
  type ScheduledQueue,
  Scheduler,
  type SchedulerOptions,
  type Turn,
} from '../../src/consumer/scheduler.ts';
import { Timings } from '../../src/consumer/timings.ts';
import { WaitingMessages } from '../../src/consumer/waiting-messages.ts';
import { realMachine } from '../../src/host/host.ts';
import { heldMessage } from './held.ts';

/** A queue with a waiting message in each of these groups. */
function queueOf(weight: number, ...groups: readonly (string | undefined)[]): ScheduledQueue {
  const waiting = new WaitingMessages();
  for (const group of groups) waiting.add(heldMessage('', { group }));
  return { weight, maxBatch: 10, waiting, timings: new Timings(), isNew: false, receiveMore: () => {} };
}

function schedulerOf(
  queues: readonly ScheduledQueue[],
  { concurrency = 1, ...options }: Partial<SchedulerOptions> & { readonly concurrency?: number } = {},
): Scheduler<ScheduledQueue> {
  const scheduler = new Scheduler<ScheduledQueue>({
    settings: { concurrency, prefetch: 'auto' },
    ...{ allowed: Number.POSITIVE_INFINITY, machine: realMachine, draining: new AbortController().signal },
    ...options,
  });
  for (const queue of queues) scheduler.add(queue);
  return scheduler;
}

describe('the scheduler', () => {
  it('gives each queue a share of the slots by weight, among the queues with messages to run', () => {
    const [urgent, bulk, idle] = [queueOf(3, undefined), queueOf(1, undefined), queueOf(4)];
    const scheduler = schedulerOf([urgent, bulk, idle]);
    expect([urgent, bulk, idle].map((one) => scheduler.shareOf(one))).to.deep.equal([0.75, 0.25, 0.5]);
  });

  it('counts a queue with a running message, or that has just started, among them', async () => {
    const [runs, isNew, other] = [
      queueOf(1, undefined),
      { ...queueOf(1), isNew: true },
      queueOf(2, undefined),
    ];
    const scheduler = schedulerOf([runs, isNew, other], { concurrency: 3 });
    await scheduler.next();
    await scheduler.next();
    expect([runs.waiting.size, other.waiting.size]).to.deep.equal([0, 0]);
    expect(scheduler.shareOf(other)).to.equal(0.5);
  });

  it('knows how many messages the other queues could start: one per message group', () => {
    const [orders, steps, mails] = [queueOf(1, undefined), queueOf(1, 'a', 'a', 'b'), queueOf(1)];
    const scheduler = schedulerOf([orders, steps, mails]);
    expect([orders, steps, mails].map((one) => scheduler.readyBeside(one))).to.deep.equal([2, 1, 3]);
  });

  it('knows which messages have a slot, and how many of each queue', async () => {
    const [orders, mails] = [queueOf(1, undefined, undefined), queueOf(1, undefined)];
    const scheduler = schedulerOf([orders, mails], { concurrency: 4 });
    const turns = [
      await scheduler.next(),
      await scheduler.next(),
      await scheduler.next(),
    ] as Turn<ScheduledQueue>[];
    expect([scheduler.turns.size, scheduler.runningOf(orders), scheduler.runningOf(mails)]).to.deep.equal([
      3, 2, 1,
    ]);
    for (const turn of turns) scheduler.free(turn, true);
    expect([scheduler.turns.size, scheduler.runningOf(orders), scheduler.runningOf(mails)]).to.deep.equal([
      0, 0, 0,
    ]);
  });

  it('lets a slot wait until a message arrives', async () => {
    const queue = queueOf(1);
    const scheduler = schedulerOf([queue]);
    const next = scheduler.next();
    const held = heldMessage('a');
    queue.waiting.add(held);
    scheduler.fill();
    expect((await next)?.held).to.equal(held);
  });

  it('starts nothing once the drain has started: waiting slots end, and later ones', async () => {
    const queue = queueOf(1);
    const drain = new AbortController();
    const scheduler = schedulerOf([queue], { concurrency: 2, draining: drain.signal });
    const waits = scheduler.next();
    await Promise.resolve();
    drain.abort();
    queue.waiting.add(heldMessage('a'));
    scheduler.fill();
    expect([await waits, await scheduler.next(), queue.waiting.size]).to.deep.equal([
      undefined,
      undefined,
      1,
    ]);
  });

  it('starts as many messages as are allowed, and does not count those that did not run', async () => {
    const queue = queueOf(1, undefined, undefined, undefined);
    const scheduler = schedulerOf([queue], { concurrency: 3, allowed: 1 });
    const first = (await scheduler.next())!;
    const second = scheduler.next();
    scheduler.fill();
    expect(queue.waiting.size).to.equal(2);
    scheduler.free(first, false);
    scheduler.fill();
    expect([(await second) !== undefined, queue.waiting.size]).to.deep.equal([true, 1]);
    scheduler.allow(1);
    expect(await scheduler.next()).not.to.equal(undefined);
  });

  it('yields to I/O every millisecond, not after each message, if workers return immediately', async () => {
    let now = 0;
    let turnsOfLoop = 0;
    const machine = {
      ...realMachine,
      now: () => now,
      nextTurn: (callback: () => void) => {
        realMachine.nextTurn(() => {
          turnsOfLoop += 1;
          callback();
        });
      },
    };
    const scheduler = schedulerOf([queueOf(1, ...Array(12).fill(undefined))], { machine });
    const handledByTurn: number[] = [];
    for (let handled = 1; handled <= 12; handled += 1) {
      const turn = (await scheduler.next())!;
      // A worker that takes 0.3 ms and awaits nothing.
      now += 0.3;
      scheduler.free(turn, true);
      handledByTurn[turnsOfLoop] = handled;
    }
    expect(Object.values(handledByTurn)).to.deep.equal([4, 8, 12]);
  });
});
