import { expect } from 'chai';
import sinon from 'sinon';
import { CrashLimitError, type CrashRecord } from '../../src/consumer/run-worker.ts';
import { openCrashFile } from '../../src/host/crashes/crash-file.ts';
import { realMachine } from '../../src/host/host.ts';
import { sleep } from '../support/faulty-queue.ts';
import { MemoryFiles } from '../support/memory-files.ts';
import { bodiesIn, bodiesOf, faultyQueue, running } from './running.ts';

/** A record in memory; `crashes` maps message numbers, in the order sent, to how often they crashed a process. */
class Record implements CrashRecord {
  readonly suspects: Map<string, number>;
  readonly running: string[] = [];
  mostAtOnce = 0;

  constructor(crashes: { readonly [number: number]: number }) {
    this.suspects = new Map(Object.entries(crashes).map(([number, count]) => [idOf(Number(number)), count]));
  }

  crashes(_queue: string, messageId: string): number {
    return this.suspects.get(messageId) ?? 0;
  }
  started(_queue: string, messageId: string): void {
    this.running.push(messageId);
    const atOnce = this.running.filter((id) => this.suspects.has(id)).length;
    this.mostAtOnce = Math.max(this.mostAtOnce, atOnce);
  }
  ended(_queue: string, messageId: string): void {
    this.running.splice(this.running.indexOf(messageId), 1);
  }
  forget(_queue: string, messageId: string): void {
    this.suspects.delete(messageId);
  }
}

/** The id that the memory broker gives to its nth message. */
const idOf = (number: number) => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;

describe('messages that crashed the process', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('do not run again once they have reached the crash limit; their bodies are reported', async () => {
    const failed = sinon.spy();
    const crashRecord = new Record({ 2: 3 });
    const { started, queue } = await running(
      () => {},
      { crashRecord, crashLimit: 3 },
      { receivedBefore: true, bodies: ['a', 'b', 'c'], observer: { failed } },
    );
    await clock.tickAsync(1_000);
    expect(started).to.deep.equal(['a', 'c']);
    const [delivery, error, outcome] = failed.args[0]!;
    expect(delivery.message.body).to.equal('b');
    expect(error).to.be.instanceOf(CrashLimitError);
    expect(error.message).to.equal(
      'This message will not run again: the process crashed 3 times while running it.',
    );
    expect(outcome).to.deep.equal({ action: 'delete' });
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    expect(crashRecord.suspects.size).to.equal(0);
  });

  it('go to the dead-letter queue if one is configured, whatever on_error is', async () => {
    const deadLetterQueue = await faultyQueue('failed');
    const { started, queue } = await running(
      () => {},
      { crashRecord: new Record({ 1: 5 }), crashLimit: 5, deadLetterQueue },
      { receivedBefore: true, bodies: ['a'] },
    );
    await clock.tickAsync(1_000);
    expect(started).to.deep.equal([]);
    expect(await bodiesIn(deadLetterQueue)).to.deep.equal(['a']);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  it('stay suspects, and in the queue, if their bodies could not be recorded', async () => {
    const failed = sinon.stub().throws(new Error('disk full'));
    const crashRecord = new Record({ 1: 3 });
    const { started, queue } = await running(
      () => {},
      { crashRecord, crashLimit: 3 },
      { receivedBefore: true, bodies: ['a'], observer: { failed } },
    );
    await clock.tickAsync(100_000);
    expect(started).to.deep.equal([]);
    expect(failed.callCount).to.be.greaterThan(2);
    expect((await queue.counts()).inFlight).to.equal(1);
    expect(crashRecord.suspects.size).to.equal(1);
  });

  it('are not marked while the disk is full, but all messages are handled', async () => {
    const files = new MemoryFiles(realMachine);
    const crashRecord = openCrashFile({
      ...{ folder: '/records', container: '/etc/worker.ini', slots: 1 },
      ...{ files, processId: 1, startTimeOf: () => '0' },
    });
    files.full = true;
    const { started, queue } = await running(
      () => {},
      { crashRecord, crashLimit: 1 },
      { receivedBefore: true, bodies: ['a', 'b'] },
    );
    await clock.tickAsync(1_000);
    expect(started).to.deep.equal(['a', 'b']);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    expect([1, 2].map((number) => crashRecord.crashes('work', idOf(number)))).to.deep.equal([0, 0]);
  });

  it('run one at a time below the limit, alongside the other messages', async () => {
    const crashRecord = new Record({ 1: 1, 2: 1, 3: 2, 4: 1 });
    const { started } = await running(
      () => sleep(1_000),
      { crashRecord, crashLimit: 3, concurrency: 8 },
      { receivedBefore: true, bodies: bodiesOf('a', 12) },
    );
    await clock.tickAsync(900);
    expect(started).to.have.length(8);
    await clock.tickAsync(10_000);
    expect([started.length, crashRecord.mostAtOnce]).to.deep.equal([12, 1]);
  });

  for (const [what, handle] of [
    ['returns', () => {}],
    [
      'throws',
      () => {
        throw new Error('no such user');
      },
    ],
  ] as const) {
    it(`are no longer suspects when their worker ${what}`, async () => {
      const crashRecord = new Record({ 1: 2 });
      const { started } = await running(
        handle,
        { crashRecord, crashLimit: 3 },
        { receivedBefore: true, bodies: ['a'] },
      );
      await clock.tickAsync(1_000);
      expect(started).to.deep.equal(['a']);
      expect([crashRecord.suspects.size, crashRecord.running]).to.deep.equal([0, []]);
    });
  }

  it('run forever with a limit of 0', async () => {
    const { started } = await running(
      () => {},
      { crashRecord: new Record({ 1: 1_000 }), crashLimit: 0 },
      { receivedBefore: true, bodies: ['a'] },
    );
    await clock.tickAsync(1_000);
    expect(started).to.deep.equal(['a']);
  });

  it('are not confused with messages that a drain left unfinished', async () => {
    const crashRecord = new Record({});
    const { consumer, run } = await running(
      () => new Promise(() => {}),
      { crashRecord, crashLimit: 3, drainTimeout: 1 },
      { receivedBefore: true, bodies: ['a'] },
    );
    await clock.tickAsync(1_000);
    expect(crashRecord.running).to.have.length(1);
    consumer.stop();
    await clock.tickAsync(20_000);
    expect((await run).unfinished).to.equal(1);
    expect(crashRecord.running).to.deep.equal([]);
  });

  it('are also recorded on FIFO queues, whose groups keep their order', async () => {
    const crashRecord = new Record({ 1: 1 });
    const { started } = await running(
      () => sleep(10),
      { crashRecord, crashLimit: 3, concurrency: 4 },
      { name: 'work.fifo', receivedBefore: true, bodies: ['a0', 'a1', 'b0'] },
    );
    await clock.tickAsync(1_000);
    expect(started).to.deep.equal(['a0', 'b0', 'a1']);
    expect(crashRecord.suspects.size).to.equal(0);
  });

  it('wait for each other on a standard queue, but a failed one does not return those behind it', async () => {
    const crashRecord = { crashes: () => 1, started() {}, ended() {}, forget() {} };
    const runs: [string, number][] = [];
    const { queue } = await running(
      async ({ body, receiveCount }) => {
        runs.push([body, receiveCount]);
        await sleep(10);
        throw new Error('no such user');
      },
      { crashRecord, crashLimit: 3, concurrency: 3, prefetch: 10, onError: 'retry', backoff: () => 600 },
      { bodies: ['a', 'b', 'c'], receivedBefore: true },
    );
    await clock.tickAsync(5_000);
    expect(runs).to.deep.equal([
      ['a', 2],
      ['b', 2],
      ['c', 2],
    ]);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 3, delayed: 0 });
  });
});
