import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { openSqlite } from '../../src/brokers/sql/sqlite/open.ts';
import { bodies, receiveAll, send } from '../../src/contract/operations.ts';
import { expectShares, expectWakeUps, nextMessage, Processes } from '../support/broker-processes.ts';

describe('a sqlite file that several processes use', function () {
  this.timeout(30_000);

  let folder: string;
  let path: string;
  let broker: Broker;
  let queue: Queue;
  let processes: Processes;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sqlite-processes-'));
    path = join(folder, 'queues.db');
    processes = new Processes(`sqlite:${path}`, 'shared');
  });

  afterEach(async () => {
    const errorOutput = await processes.end();
    await broker.close();
    await rm(folder, { recursive: true });
    expect(errorOutput).to.equal('');
  });

  async function openQueue(): Promise<void> {
    broker = await openSqlite(path);
    queue = await broker.open('shared');
  }

  it('is created once when all start at the same time', async () => {
    const started = await Promise.all(['a', 'b', 'c', 'd'].map(() => processes.start('echo')));
    for (const [index, child] of started.entries()) {
      child.send(`from ${index}`);
      await nextMessage(child);
    }
    await openQueue();
    expect(bodies(await receiveAll(queue)).sort()).to.deep.equal(['from 0', 'from 1', 'from 2', 'from 3']);
  });

  it('wakes a long poll soon after another process has sent a message', async () => {
    await openQueue();
    // Long enough for the initial checks, and so that the regular polling would take 80 ms longer.
    await expectWakeUps(queue, processes, { pollingMs: 120, mostMs: 50 });
  });

  it('has every accepted message after its sender was killed', async () => {
    await openQueue();
    const child = await processes.start('sendOn');
    const accepted: string[] = [];
    child.on('message', (sent: string[]) => {
      accepted.push(...sent);
      if (accepted.length === 500) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const received = bodies(await receiveAll(queue));
    expect(received).to.include.members(accepted).and.to.have.length.of.at.least(500);
    // A request is accepted completely, or not at all.
    expect(received).to.deep.equal(received.map((_, index) => String(index)));
    expect(received.length % 10).to.equal(0);
    await send(queue, 'it works on');
    expect(bodies(await receiveAll(queue))).to.deep.equal(['it works on']);
  });

  it('delivers each message to one of two consumers, and shares the messages between them', async () => {
    await openQueue();
    await expectShares(queue, processes, 1_000);
  });
});
