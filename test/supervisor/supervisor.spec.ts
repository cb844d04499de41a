import { expect } from 'chai';
import sinon from 'sinon';
import { realMachine } from '../../src/host/host.ts';
import type { Order, Report } from '../../src/supervisor/parent-process.ts';
import type { ProcessEnd } from '../../src/supervisor/respawn.ts';
import { type Child, Supervisor, type SupervisorOptions } from '../../src/supervisor/supervisor.ts';

/** A child whose life the spec tells. */
class FakeChild implements Child {
  readonly pid: number;
  readonly number: number;
  readonly orders: Order[] = [];
  readonly signals: string[] = [];
  report: (report: Report) => void = () => {};
  end: (end: ProcessEnd) => void = () => {};

  constructor(pid: number, number: number) {
    this.pid = pid;
    this.number = number;
  }

  order(order: Order): void {
    this.orders.push(order);
  }

  kill(signal: NodeJS.Signals): void {
    this.signals.push(signal);
  }

  ready(): void {
    this.report({ type: 'ready' });
  }

  exit(code: number): void {
    this.end({ code, signal: null });
  }

  get stopped(): boolean {
    return this.orders.some(({ type }) => type === 'stop');
  }

  get allowed(): number {
    return this.orders.reduce((sum, order) => sum + (order.type === 'allow' ? order.messages : 0), 0);
  }
}

const MEGABYTE = 2 ** 20;

describe('the parent of several processes', () => {
  let clock: sinon.SinonFakeTimers;
  let children: FakeChild[];
  let lines: string[];
  let code: number | undefined;

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    sinon.stub(Math, 'random').returns(0.5);
    children = [];
    lines = [];
    code = undefined;
  });
  afterEach(() => sinon.restore());

  function supervise(options: Partial<SupervisorOptions> = {}): Supervisor {
    const log = (message: string) => lines.push(message);
    const supervisor = new Supervisor({
      machine: realMachine,
      count: 2,
      concurrency: 1,
      messageLimit: undefined,
      maxMemory: undefined,
      log: { error: log, warn: log, info: log, debug: log },
      fork: (number, onReport, onEnd) => {
        const child = new FakeChild(100 + children.length, number);
        child.report = onReport;
        child.end = onEnd;
        children.push(child);
        return child;
      },
      ...options,
    });
    void supervisor.run().then((exitCode) => {
      code = exitCode;
    });
    return supervisor;
  }

  /** Starts all, and tells that all are ready. */
  function superviseReady(options: Partial<SupervisorOptions> = {}): Supervisor {
    const supervisor = supervise(options);
    child(0).ready();
    for (const other of children.slice(1)) other.ready();
    return supervisor;
  }

  function child(index: number): FakeChild {
    return children[index]!;
  }

  async function exitCode(): Promise<number | undefined> {
    await clock.tickAsync(0);
    return code;
  }

  describe('at the start', () => {
    it('starts one process, and the others once that one is ready', () => {
      supervise({ count: 3 });
      expect(children.map(({ number }) => number)).to.deep.equal([1]);
      child(0).ready();
      expect(children.map(({ number }) => number)).to.deep.equal([1, 2, 3]);
      child(1).ready();
      expect(children).to.have.length(3);
    });

    for (const exit of [64, 69, 78]) {
      it(`ends with ${exit} when the first process does`, async () => {
        supervise();
        child(0).exit(exit);
        expect(await exitCode()).to.equal(exit);
        expect(children).to.have.length(1);
        expect(lines.at(-1)).to.equal(
          `process 1 (pid 100) ended: exit code ${exit}; it is not started again`,
        );
      });
    }
  });

  describe('when a process ends by itself', () => {
    it('starts it again, at once and then after longer and longer pauses', async () => {
      superviseReady();
      child(1).end({ code: null, signal: 'SIGKILL' });
      expect(lines.slice(-2)).to.deep.equal([
        'process 2 (pid 101) ended: killed by SIGKILL; starting again at once',
        'process 2 (pid 102) started',
      ]);
      for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
        const started = children.length;
        children.at(-1)!.exit(1);
        expect(lines.at(-1)).to.match(new RegExp(`ended: exit code 1; starting again in ${seconds}.0 s$`));
        await clock.tickAsync(seconds * 1_000 - 1);
        expect(children).to.have.length(started);
        await clock.tickAsync(1);
        expect(children).to.have.length(started + 1);
      }
      expect(child(0).orders).to.deep.equal([]);
    });

    it('starts it again at once when it has run for a minute', async () => {
      superviseReady();
      for (let time = 0; time < 5; time += 1) {
        const last = children.at(-1)!;
        await clock.tickAsync(60_000);
        last.exit(0);
        expect(children.at(-1)).to.not.equal(last);
      }
    });

    it('tries again when one could not be started', () => {
      superviseReady();
      child(0).end({ error: new Error('spawn EAGAIN') });
      expect(lines.at(-2)).to.contain('ended: it could not be started: spawn EAGAIN; starting again at once');
      expect(children).to.have.length(3);
    });

    it('starts it again when the broker cannot be reached later', async () => {
      superviseReady();
      child(0).exit(69);
      expect(children).to.have.length(3);
      expect(await exitCode()).to.equal(undefined);
    });

    it('drains the others, and ends with 78, when its settings are wrong by now', async () => {
      superviseReady();
      child(0).exit(1);
      child(2).exit(78);
      expect(child(1).stopped).to.equal(true);
      child(1).exit(75);
      expect(await exitCode()).to.equal(78);
    });

    it('leaves one out that was idle, and ends when all were', async () => {
      superviseReady();
      child(0).report({ type: 'idle' });
      child(0).exit(0);
      await clock.tickAsync(100_000);
      expect(children).to.have.length(2);
      expect(code).to.equal(undefined);
      child(1).exit(1);
      child(2).report({ type: 'idle' });
      child(2).exit(0);
      expect(await exitCode()).to.equal(0);
    });
  });

  describe('when it is told to stop', () => {
    it('lets all drain, starts none again, and ends with 0', async () => {
      const supervisor = superviseReady();
      supervisor.stop();
      supervisor.stop();
      expect(children.map(({ orders }) => orders)).to.deep.equal([[{ type: 'stop' }], [{ type: 'stop' }]]);
      child(0).exit(0);
      expect(await exitCode()).to.equal(undefined);
      child(1).exit(0);
      expect(await exitCode()).to.equal(0);
      expect(children).to.have.length(2);
      expect(children.flatMap(({ signals }) => signals)).to.deep.equal([]);
    });

    it('waits for no pause', async () => {
      const supervisor = superviseReady({ count: 1 });
      child(0).exit(1);
      child(1).exit(1);
      supervisor.stop();
      expect(await exitCode()).to.equal(0);
      await clock.tickAsync(100_000);
      expect(children).to.have.length(2);
    });

    it('ends those that are not ready, however they end then', async () => {
      const supervisor = supervise();
      supervisor.stop();
      expect(child(0).signals).to.deep.equal(['SIGTERM']);
      child(0).end({ code: null, signal: 'SIGTERM' });
      expect(await exitCode()).to.equal(0);
    });

    for (const [ends, expected] of [
      [[0, 75], 75],
      [[75, 70], 70],
      [[70, 75], 70],
      [[1, 0], 70],
    ] as const) {
      it(`ends with ${expected} when its processes end with ${ends.join(' and ')}`, async () => {
        superviseReady().stop();
        for (const [index, end] of ends.entries()) child(index).exit(end);
        expect(await exitCode()).to.equal(expected);
      });
    }

    it('tells all what it is told', () => {
      const supervisor = superviseReady();
      supervisor.order({ type: 'wake' });
      expect(children.map(({ orders }) => orders)).to.deep.equal([[{ type: 'wake' }], [{ type: 'wake' }]]);
    });

    it('kills all when it has to end at once, those that are being replaced, too', () => {
      const supervisor = superviseReady({ maxMemory: MEGABYTE });
      child(0).report({ type: 'memory', bytes: 2 * MEGABYTE });
      supervisor.kill();
      expect(children.map(({ signals }) => signals)).to.deep.equal([['SIGKILL'], ['SIGKILL'], ['SIGKILL']]);
    });
  });

  describe('with max_memory', () => {
    const tooMuch = { type: 'memory', bytes: 600 * MEGABYTE } as const;

    it('starts a replacement, and lets the old process drain once that is ready', async () => {
      superviseReady({ maxMemory: 512 * MEGABYTE });
      child(0).report(tooMuch);
      expect(lines.slice(-2)).to.deep.equal([
        'process 1 (pid 100) used 600 MB, more than max_memory = 512 MB: replaced at once',
        'process 1 (pid 102) started',
      ]);
      expect(child(0).stopped).to.equal(false);
      child(2).ready();
      expect(child(0).stopped).to.equal(true);
      child(0).exit(0);
      await clock.tickAsync(100_000);
      expect(children).to.have.length(3);
      expect(code).to.equal(undefined);
    });

    it('starts one replacement at a time, and the next after a pause', async () => {
      superviseReady({ maxMemory: 512 * MEGABYTE });
      for (let time = 0; time < 3; time += 1) child(0).report(tooMuch);
      child(2).ready();
      child(2).report(tooMuch);
      expect(children).to.have.length(3);
      child(0).exit(0);
      child(2).report(tooMuch);
      await clock.tickAsync(999);
      expect(children).to.have.length(3);
      await clock.tickAsync(1);
      expect(children).to.have.length(4);
    });

    it('keeps the old process while its replacement does not start', async () => {
      superviseReady({ maxMemory: 512 * MEGABYTE });
      child(0).report(tooMuch);
      child(2).exit(1);
      await clock.tickAsync(1_000);
      expect(child(0).stopped).to.equal(false);
      child(3).ready();
      expect(child(0).stopped).to.equal(true);
    });

    it('starts no second replacement when the old process ends meanwhile', () => {
      superviseReady({ maxMemory: 512 * MEGABYTE });
      child(0).report(tooMuch);
      child(0).exit(1);
      child(2).ready();
      expect(children).to.have.length(3);
      expect(child(2).stopped).to.equal(false);
    });
  });

  describe('with message_limit', () => {
    it('hands out no more than the limit, and lets all drain when so many are done', async () => {
      superviseReady({ messageLimit: 3 });
      expect(children.map(({ allowed }) => allowed)).to.deep.equal([1, 1]);
      child(0).report({ type: 'done' });
      expect(children.map(({ allowed }) => allowed)).to.deep.equal([2, 1]);
      child(0).report({ type: 'done' });
      expect(children.map(({ stopped }) => stopped)).to.deep.equal([false, false]);
      child(1).report({ type: 'done' });
      expect(children.map(({ allowed }) => allowed)).to.deep.equal([2, 1]);
      expect(children.map(({ stopped }) => stopped)).to.deep.equal([true, true]);
      child(0).exit(0);
      child(1).exit(0);
      expect(await exitCode()).to.equal(0);
    });

    it('gives what a process had not done when it ended to the others', () => {
      superviseReady({ messageLimit: 1 });
      expect(children.map(({ allowed }) => allowed)).to.deep.equal([1, 0]);
      child(0).end({ code: null, signal: 'SIGKILL' });
      expect(child(1).allowed).to.equal(1);
      child(2).ready();
      expect(child(2).allowed).to.equal(0);
    });

    it('gives none to a process that drains', () => {
      superviseReady({ messageLimit: 1, maxMemory: MEGABYTE });
      child(1).report({ type: 'memory', bytes: 2 * MEGABYTE });
      child(2).ready();
      child(0).exit(1);
      expect(children.map(({ allowed }) => allowed)).to.deep.equal([1, 0, 1, 0]);
    });
  });
});
