import { expect } from 'chai';
import sinon from 'sinon';
import { realMachine } from '../../src/host/host.ts';
import type { Order, Report } from '../../src/supervisor/parent-process.ts';
import type { ProcessEnd } from '../../src/supervisor/respawn.ts';
import { type Child, Supervisor, type SupervisorOptions } from '../../src/supervisor/supervisor.ts';

/** A child that the spec controls. */
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

  /** Starts all processes, and reports all as ready. */
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
      it(`exits with ${exit} when the first process does`, async () => {
        supervise();
        child(0).exit(exit);
        expect(await exitCode()).to.equal(exit);
        expect(children).to.have.length(1);
        expect(lines.at(-1)).to.equal(`Process 1 (pid 100) exited: exit code ${exit}; not restarting it`);
      });
    }
  });

  describe('when a process exits on its own', () => {
    it('restarts it, first immediately and then after growing pauses', async () => {
      superviseReady();
      child(1).end({ code: null, signal: 'SIGKILL' });
      expect(lines.slice(-2)).to.deep.equal([
        'Process 2 (pid 101) exited: killed by SIGKILL; restarting immediately',
        'Process 2 (pid 102) started',
      ]);
      for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
        const started = children.length;
        children.at(-1)!.exit(1);
        expect(lines.at(-1)).to.match(new RegExp(`exited: exit code 1; restarting in ${seconds}.0 s$`));
        await clock.tickAsync(seconds * 1_000 - 1);
        expect(children).to.have.length(started);
        await clock.tickAsync(1);
        expect(children).to.have.length(started + 1);
      }
      expect(child(0).orders).to.deep.equal([]);
    });

    it('restarts it immediately if it has run for a minute', async () => {
      superviseReady();
      for (let time = 0; time < 5; time += 1) {
        const last = children.at(-1)!;
        await clock.tickAsync(60_000);
        last.exit(0);
        expect(children.at(-1)).to.not.equal(last);
      }
    });

    it('tries again when a process could not be started', () => {
      superviseReady();
      child(0).end({ error: new Error('spawn EAGAIN') });
      expect(lines.at(-2)).to.contain('exited: could not be started: spawn EAGAIN; restarting immediately');
      expect(children).to.have.length(3);
    });

    it('restarts it when the broker becomes unreachable later', async () => {
      superviseReady();
      child(0).exit(69);
      expect(children).to.have.length(3);
      expect(await exitCode()).to.equal(undefined);
    });

    it('drains the others and exits with 78 when the settings have become invalid', async () => {
      superviseReady();
      child(0).exit(1);
      child(2).exit(78);
      expect(child(1).stopped).to.equal(true);
      child(1).exit(75);
      expect(await exitCode()).to.equal(78);
    });

    it('does not restart an idle process, and exits when all were idle', async () => {
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

  describe('while it runs', () => {
    it('passes orders on to all processes', () => {
      const supervisor = superviseReady();
      supervisor.order({ type: 'wake' });
      expect(children.map(({ orders }) => orders)).to.deep.equal([[{ type: 'wake' }], [{ type: 'wake' }]]);
    });

    it('pauses and resumes all processes, and those that start while it is paused', () => {
      const supervisor = superviseReady();
      expect(supervisor.state).to.equal('running');
      supervisor.pause();
      expect(supervisor.state).to.equal('paused');
      child(1).exit(1);
      supervisor.resume();
      expect(supervisor.state).to.equal('running');
      child(0).exit(1);
      expect(children.map(({ orders }) => orders.map(({ type }) => type))).to.deep.equal([
        ['pause', 'resume'],
        ['pause'],
        ['pause', 'resume'],
        [],
      ]);
    });

    it('is draining once it stops, paused or not', () => {
      const supervisor = superviseReady();
      supervisor.pause();
      supervisor.stop();
      expect(supervisor.state).to.equal('draining');
    });
  });

  describe('when it stops', () => {
    it('drains all processes, restarts none, and exits with 0', async () => {
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

    it('does not wait for a pause to end', async () => {
      const supervisor = superviseReady({ count: 1 });
      child(0).exit(1);
      child(1).exit(1);
      supervisor.stop();
      expect(await exitCode()).to.equal(0);
      await clock.tickAsync(100_000);
      expect(children).to.have.length(2);
    });

    it('sends SIGTERM to processes that are not ready, and accepts any exit code from them', async () => {
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
      it(`exits with ${expected} when its processes exit with ${ends.join(' and ')}`, async () => {
        superviseReady().stop();
        for (const [index, end] of ends.entries()) child(index).exit(end);
        expect(await exitCode()).to.equal(expected);
      });
    }

    it('kills all processes when it has to exit immediately, including those being replaced', () => {
      const supervisor = superviseReady({ maxMemory: MEGABYTE });
      child(0).report({ type: 'memory', bytes: 2 * MEGABYTE });
      supervisor.kill();
      expect(children.map(({ signals }) => signals)).to.deep.equal([['SIGKILL'], ['SIGKILL'], ['SIGKILL']]);
    });
  });

  describe('with max_memory', () => {
    const tooMuch = { type: 'memory', bytes: 600 * MEGABYTE } as const;

    it('starts a replacement, and drains the old process once the new one is ready', async () => {
      superviseReady({ maxMemory: 512 * MEGABYTE });
      child(0).report(tooMuch);
      expect(lines.slice(-2)).to.deep.equal([
        'Process 1 (pid 100) used 600 MB, more than max_memory = 512 MB: replacing it immediately',
        'Process 1 (pid 102) started',
      ]);
      expect(child(0).stopped).to.equal(false);
      child(2).ready();
      expect(child(0).stopped).to.equal(true);
      child(0).exit(0);
      await clock.tickAsync(100_000);
      expect(children).to.have.length(3);
      expect(code).to.equal(undefined);
    });

    it('starts one replacement at a time, and the next one after a pause', async () => {
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

    it('keeps the old process if its replacement fails to start', async () => {
      superviseReady({ maxMemory: 512 * MEGABYTE });
      child(0).report(tooMuch);
      child(2).exit(1);
      await clock.tickAsync(1_000);
      expect(child(0).stopped).to.equal(false);
      child(3).ready();
      expect(child(0).stopped).to.equal(true);
    });

    it('does not start a second replacement when the old process exits in the meantime', () => {
      superviseReady({ maxMemory: 512 * MEGABYTE });
      child(0).report(tooMuch);
      child(0).exit(1);
      child(2).ready();
      expect(children).to.have.length(3);
      expect(child(2).stopped).to.equal(false);
    });
  });

  describe('with message_limit', () => {
    it('hands out no more than the limit, and drains all processes when it is reached', async () => {
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

    it('gives the unfinished messages of an exited process to the others', () => {
      superviseReady({ messageLimit: 1 });
      expect(children.map(({ allowed }) => allowed)).to.deep.equal([1, 0]);
      child(0).end({ code: null, signal: 'SIGKILL' });
      expect(child(1).allowed).to.equal(1);
      child(2).ready();
      expect(child(2).allowed).to.equal(0);
    });

    it('gives no messages to a draining process', () => {
      superviseReady({ messageLimit: 1, maxMemory: MEGABYTE });
      child(1).report({ type: 'memory', bytes: 2 * MEGABYTE });
      child(2).ready();
      child(0).exit(1);
      expect(children.map(({ allowed }) => allowed)).to.deep.equal([1, 0, 1, 0]);
    });
  });
});
