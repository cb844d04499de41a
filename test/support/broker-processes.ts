// Processes of their own that have a queue open beside a spec, and what is asked of any broker that several share.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Queue } from '../../src/brokers/broker.ts';
import { send } from '../../src/contract/operations.ts';

export class Processes {
  readonly #address: string;
  readonly #queue: string;
  readonly #children: ChildProcess[] = [];
  readonly #closed: Promise<unknown>[] = [];
  #errorOutput = '';

  /** `address` and `queue` are what they open. */
  constructor(address: string, queue: string) {
    this.#address = address;
    this.#queue = queue;
  }

  /** Starts a part of `broker-child.ts`, which then has the queue open. */
  async start(part: 'echo' | 'sendOn' | 'consume'): Promise<ChildProcess> {
    const values = [this.#address, this.#queue, part];
    const child = fork(join(import.meta.dirname, 'broker-child.ts'), values, {
      execArgv: ['--import=tsx'],
      silent: true,
    });
    this.#children.push(child);
    this.#closed.push(once(child, 'close'));
    child.stderr!.on('data', (text) => {
      this.#errorOutput += text;
    });
    expect(await nextMessage(child)).to.equal('ready');
    return child;
  }

  /** Ends all of them; resolves to what they wrote to standard error. */
  async end(): Promise<string> {
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(this.#closed);
    return this.#errorOutput;
  }
}

/** The next message of a child; rejects if it ends before. */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const [message] = await Promise.race([
    once(child, 'message', { signal: ended.signal }),
    once(child, 'exit', { signal: ended.signal }).then(([code]) => expect.fail(`The child ended: ${code}`)),
  ]);
  ended.abort();
  return message;
}

/**
 * A long poll ends soon after another process has sent: the median of several is below `mostMs`. Each begins `pollingMs`
 * before the message is sent.
 */
export async function expectWakeUps(
  queue: Queue,
  processes: Processes,
  { pollingMs, mostMs }: { readonly pollingMs: number; readonly mostMs: number },
): Promise<void> {
  const child = await processes.start('echo');
  const delays: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    const polling = queue.receive({ max: 1, waitSeconds: 5 }).then(() => performance.now());
    await new Promise((resolve) => setTimeout(resolve, pollingMs));
    child.send('x');
    const sentAt = await nextMessage(child).then(() => performance.now());
    delays.push((await polling) - sentAt);
  }
  const median = delays.toSorted((one, other) => one - other)[4];
  expect(median, `milliseconds: ${delays.map(Math.round)}`).to.be.below(mostMs);
}

/** Of so many messages, each goes to one of two consumers, and none of these gets next to nothing. */
export async function expectShares(queue: Queue, processes: Processes, messages: number): Promise<void> {
  const all = Array.from({ length: messages }, (_, index) => String(index));
  for (let start = 0; start < all.length; start += 10) await send(queue, ...all.slice(start, start + 10));
  const consumers = [await processes.start('consume'), await processes.start('consume')];
  const shares = consumers.map((consumer) => nextMessage(consumer) as Promise<string[]>);
  for (const consumer of consumers) consumer.send('go');
  const [one, other] = await Promise.all(shares);
  const numerically = (first: string, second: string) => Number(first) - Number(second);
  expect([...one!, ...other!].sort(numerically)).to.deep.equal(all);
  expect(Math.min(one!.length, other!.length)).to.be.above(200);
  expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
}
