// The run loop on simulated machines, with the globals out of reach: what a simulation needs.
import { expect } from 'chai';
import sinon from 'sinon';
import type { EntryResult, Message, Queue } from '../../src/brokers/broker.ts';
import { SQS_LIMITS } from '../../src/brokers/rules/limits.ts';
import { defaultSettings } from '../../src/config/config.ts';
import { Consumer } from '../../src/consumer/consumer.ts';
import { exponentialBackoff } from '../../src/worker/backoff.ts';
import { currentMessage } from '../../src/worker/current-message.ts';
import { recordTouchedGlobals } from '../support/touched-globals.ts';
import { VirtualMachine } from '../support/virtual-machine.ts';

/** A queue whose messages become visible again only by a visibility change, not by a timeout. */
class PlainQueue implements Queue {
  readonly name = 'work';
  readonly fifo = false;
  readonly visibilityTimeout = 30;
  readonly contentBasedDeduplication = false;
  readonly abortsReceives = true;
  readonly limits = SQS_LIMITS;
  readonly deleted: string[] = [];
  extensions = 0;
  failures = 1;
  #visible: Message[];
  readonly #inFlight = new Map<string, Message>();
  readonly #machine: VirtualMachine;

  constructor(machine: VirtualMachine, bodies: readonly string[]) {
    this.#machine = machine;
    this.#visible = bodies.map((body) => ({
      ...{ id: body, body, receiptHandle: body, receiveCount: 0, attributes: {}, sentAt: 0 },
    }));
  }

  async receive({ max, waitSeconds, signal }: Parameters<Queue['receive']>[0]): Promise<Message[]> {
    if (this.#visible.length === 0 && waitSeconds > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.#machine.setTimeout(resolve, waitSeconds * 1000);
        signal?.addEventListener('abort', () => {
          this.#machine.clearTimeout(timer);
          resolve();
        });
      });
    }
    const messages = this.#visible
      .splice(0, max)
      .map((message) => ({ ...message, receiveCount: message.receiveCount + 1 }));
    for (const message of messages) this.#inFlight.set(message.receiptHandle, message);
    return messages;
  }

  async delete(handles: readonly string[]): Promise<EntryResult[]> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('down');
    }
    this.deleted.push(...handles);
    return handles.map(() => ({ ok: true }));
  }

  async changeVisibility(changes: Parameters<Queue['changeVisibility']>[0]): Promise<EntryResult[]> {
    for (const { receiptHandle, seconds } of changes) {
      if (seconds === 30) this.extensions += 1;
      else
        this.#machine.setTimeout(
          () => this.#visible.push(this.#inFlight.get(receiptHandle)!),
          seconds * 1000,
        );
    }
    return changes.map(() => ({ ok: true }));
  }

  send(): never {
    throw new Error('Nothing is sent here.');
  }
  counts(): never {
    throw new Error('Nobody counts here.');
  }
  purge(): never {
    throw new Error('Nothing is purged here.');
  }
}

describe('the run loop, in virtual time', () => {
  afterEach(() => sinon.restore());

  /** A consumer with its own machine. The first attempt at each message fails; every attempt takes 40 s. */
  async function start(bodies: readonly string[]) {
    const machine = new VirtualMachine();
    const queue = new PlainQueue(machine, bodies);
    const worker = {
      async handleMessage({ receiveCount }: Message) {
        expect(currentMessage().signal.aborted).to.equal(false);
        await machine.sleep(40_000);
        if (receiveCount === 1) throw new Error('not at first');
      },
    };
    const settings = { ...defaultSettings(), concurrency: 2, onError: 'retry', handlerTimeout: 60 } as const;
    const host = Object.assign(machine, { broker: { open: async () => queue } });
    const backoff = exponentialBackoff({ random: () => machine.random() });
    const consumer = await Consumer.open(host, settings, { worker, backoff });
    return { machine, queue, consumer };
  }

  it('uses no clock, timer or random number of the process, and several loops do not affect each other', async () => {
    const parts = [await start(['a', 'b', 'c']), await start(['d'])];
    const touched = recordTouchedGlobals();
    const runs = parts.map(({ consumer }) => consumer.run());
    await parts[0]!.machine.advance(200_000);
    expect(parts.map(({ queue }) => queue.deleted)).to.deep.equal([['a', 'b', 'c'], []]);
    await parts[1]!.machine.advance(100_000);
    for (const { consumer, machine } of parts) {
      consumer.stop();
      await machine.advance(30_000);
    }
    const reports = await Promise.all(runs);
    expect(reports.map(({ unfinished, mayRunAgain }) => [unfinished, mayRunAgain])).to.deep.equal([
      [0, 0],
      [0, 0],
    ]);
    expect(parts.map(({ queue, machine }) => [queue.deleted.length, machine.timers])).to.deep.equal([
      [3, 0],
      [1, 0],
    ]);
    expect(parts[0]!.queue.extensions).to.be.above(0);
    expect(touched).to.deep.equal([]);
  });
});
