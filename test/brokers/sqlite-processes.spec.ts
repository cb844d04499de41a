import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { bodies, receiveAll, send } from '../../src/broker-contract/steps.ts';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { openSqlite } from '../../src/brokers/database/sqlite/open.ts';

describe('a sqlite file that several processes use', () => {
  let folder: string;
  let path: string;
  let broker: Broker;
  let queue: Queue;
  let children: ChildProcess[];
  let errorOutput: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sqlite-processes-'));
    path = join(folder, 'queues.db');
    children = [];
    errorOutput = '';
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await broker.close();
    await rm(folder, { recursive: true });
    expect(errorOutput).to.equal('');
  });

  async function openQueue(): Promise<void> {
    broker = await openSqlite(path);
    queue = await broker.open('shared');
  }

  /** Starts a part of `broker-child.ts`, which then has the queue open. */
  async function start(part: string): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, 'broker-child.ts'), [`sqlite:${path}`, 'shared', part], {
      execArgv: ['--import=tsx'],
      silent: true,
    });
    children.push(child);
    child.stderr!.on('data', (text) => {
      errorOutput += text;
    });
    expect(await next(child)).to.equal('ready');
    return child;
  }

  it('is made once, when all start at the same time', async () => {
    const started = await Promise.all(['a', 'b', 'c', 'd'].map(() => start('echo')));
    for (const [index, child] of started.entries()) {
      child.send(`from ${index}`);
      await next(child);
    }
    await openQueue();
    expect(bodies(await receiveAll(queue)).sort()).to.deep.equal(['from 0', 'from 1', 'from 2', 'from 3']);
  });

  it('wakes a long poll soon after another process has sent', async () => {
    await openQueue();
    const child = await start('echo');
    const delays: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const polling = queue.receive({ max: 1, waitSeconds: 5 }).then(() => performance.now());
      // Long enough for the looks at the beginning, and so that the regular look would take 80 ms more.
      await sleep(120);
      child.send('x');
      const sentAt = await next(child).then(() => performance.now());
      delays.push((await polling) - sentAt);
    }
    const median = delays.toSorted((one, other) => one - other)[4];
    expect(median, `milliseconds: ${delays.map(Math.round)}`).to.be.below(50);
  });

  it('has every message that was accepted, after its sender was killed', async () => {
    await openQueue();
    const child = await start('sendOn');
    const accepted: string[] = [];
    child.on('message', (sent: string[]) => {
      accepted.push(...sent);
      if (accepted.length === 500) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const received = bodies(await receiveAll(queue));
    expect(received).to.include.members(accepted).and.to.have.length.of.at.least(500);
    // A request is accepted as a whole, or not at all.
    expect(received).to.deep.equal(received.map((_, index) => String(index)));
    expect(received.length % 10).to.equal(0);
    await send(queue, 'it works on');
    expect(bodies(await receiveAll(queue))).to.deep.equal(['it works on']);
  });

  it('hands each message to one of two consumers, and gives both their share', async () => {
    await openQueue();
    const all = Array.from({ length: 1_000 }, (_, index) => String(index));
    for (let start = 0; start < all.length; start += 10) await send(queue, ...all.slice(start, start + 10));
    const consumers = [await start('consume'), await start('consume')];
    const shares = consumers.map((consumer) => next(consumer) as Promise<string[]>);
    for (const consumer of consumers) consumer.send('go');
    const [one, other] = await Promise.all(shares);
    const numerically = (first: string, second: string) => Number(first) - Number(second);
    expect([...one!, ...other!].sort(numerically)).to.deep.equal(all);
    expect(Math.min(one!.length, other!.length)).to.be.above(200);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });
});

/** The next message of a child; rejects if it ends before. */
async function next(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const [message] = await Promise.race([
    once(child, 'message', { signal: ended.signal }),
    once(child, 'exit', { signal: ended.signal }).then(([code]) => expect.fail(`The child ended: ${code}`)),
  ]);
  ended.abort();
  return message;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
