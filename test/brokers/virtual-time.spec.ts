// The embedded brokers on a simulated machine: what a simulation needs.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sinon from 'sinon';
import type { Broker, Message, Queue } from '../../src/brokers/broker.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { openSqlite } from '../../src/brokers/sql/sqlite/open.ts';
import { Sender } from '../../src/producer/sender.ts';
import { moveMessages } from '../../src/queues/move-messages.ts';
import { recordTouchedGlobals } from '../support/touched-globals.ts';
import { VirtualMachine } from '../support/virtual-machine.ts';

describe('in virtual time', () => {
  let folder: string;
  let machine: VirtualMachine;
  /** What reports a change of the write-ahead log, while it is watched. */
  let watchers: Map<string, () => void>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'virtual-time-'));
    machine = new VirtualMachine();
    watchers = new Map();
  });

  afterEach(async () => {
    sinon.restore();
    await rm(folder, { recursive: true });
  });

  const openMemory = async (): Promise<Broker> => new MemoryBroker({ machine });

  function openFile(name: string): Promise<Broker> {
    const watchFile = (path: string, changed: () => void) => {
      watchers.set(path, changed);
      return () => watchers.delete(path);
    };
    return openSqlite(join(folder, name), { machine, watchFile });
  }

  /** Runs `work` until it resolves, and lets time pass whenever everything waits. */
  async function passTime<Result>(work: Promise<Result>): Promise<Result> {
    const passing = machine.advance(10 * 60_000);
    const result = await work;
    await passing;
    return result;
  }

  /** A long poll of 20 s: when it ended, in seconds, and the bodies and receive counts of its messages. */
  async function poll(queue: Queue): Promise<Polled> {
    const messages = await queue.receive({ max: 10, waitSeconds: 20, visibilityTimeout: 30 });
    const received = messages.map(({ body, receiveCount }) => `${body} ${receiveCount}`);
    return { received: [machine.now() / 1000, ...received], messages };
  }

  async function observe(broker: Broker) {
    const queue = await broker.open('work');
    const sending = machine.sleep(5_000).then(() => queue.send([{ body: 'a', delaySeconds: 3 }]));
    const polls = [await poll(queue), await poll(queue), await poll(queue)];
    const [{ receiptHandle }] = polls[2]!.messages as [Message];
    await queue.changeVisibility([{ receiptHandle, seconds: 0 }]);
    const target = await broker.open('moved.fifo');
    await moveMessages(broker, queue, target, { machine });
    await new Sender(broker, target, machine).send({ body: 'b' });
    polls.push(await poll(target));
    await broker.close();
    return { sent: await sending, polls };
  }

  for (const [name, open] of [
    ['memory', openMemory],
    ['sqlite', openFile],
  ] as const) {
    it(`the ${name} broker ends delays, long polls and visibility timeouts, and uses no global`, async () => {
      const touched = recordTouchedGlobals();
      const broker = await open('queues.db');
      const { polls } = await passTime(observe(broker));
      expect(polls.map(({ received }) => received)).to.deep.equal([
        [8, 'a 1'],
        [28],
        [38, 'a 2'],
        [38, 'a 1', 'b 1'],
      ]);
      expect([machine.timers, touched, [...watchers]]).to.deep.equal([0, [], []]);
    });

    it(`the ${name} broker behaves the same in each run, with the same IDs and receipt handles`, async () => {
      const runs: unknown[] = [];
      for (const file of ['1.db', '2.db']) {
        machine = new VirtualMachine();
        runs.push(await passTime(observe(await open(file))));
      }
      expect(runs[0]).to.deep.equal(runs[1]);
    });
  }

  it('the sqlite broker wakes a long poll when the write-ahead log changes, or else at the next check', async () => {
    const [broker, other] = [await openFile('queues.db'), await openFile('queues.db')];
    const [queue, same] = [await broker.open('work'), await other.open('work')];
    for (const [isWatched, mostMs] of [
      [true, 2],
      [false, 200],
    ] as const) {
      const polling = poll(queue);
      await machine.advance(1_100);
      await same.send([{ body: 'b' }]);
      const sentAt = machine.now();
      if (isWatched) watchers.get(join(folder, 'queues.db-wal'))!();
      await machine.advance(1_000);
      const [at, ...bodies] = (await polling).received as [number, ...string[]];
      expect(bodies).to.deep.equal(['b 1']);
      expect(at * 1000 - sentAt).to.be.within(mostMs / 2, mostMs);
    }
    await Promise.all([broker.close(), other.close()]);
  });
});

interface Polled {
  readonly received: readonly (number | string)[];
  readonly messages: readonly Message[];
}
