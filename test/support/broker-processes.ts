// Child processes that share a queue with a spec, and the expectations for any broker shared by several processes.
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

  /** `address` and `queue` are opened by each process. */
  constructor(address: string, queue: string) {
    this.#address = address;
    this.#queue = queue;
  }

  /** Starts a part of `broker-child.ts`; resolves when it has opened the queue. */
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

  /** Kills all processes; resolves to their standard error. */
  async end(): Promise<string> {
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(this.#closed);
    return this.#errorOutput;
  }
}

/** The next message from a child; rejects if the child exits first. */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const [message] = await Promise.race([
    once(child, 'message', { signal: ended.signal }),
    once(child, 'exit', { signal: ended.signal }).then(([code]) => expect.fail(`The child exited: ${code}`)),
  ]);
  ended.abort();
  return message;
}

/**
 * Expects a long poll to return soon after another process sends: the median delay is below `mostMs`. Each poll starts
 * `pollingMs` before the send.
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

/** Expects each of these messages to go to one of two consumers, and both consumers to get a fair number. */
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
