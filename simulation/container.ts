/**
 * A container in a simulated world, as systemd runs it: the real run loop and crash record in one process, or in several
 * under the real supervisor; started again whenever it ends.
 */
import { Consumer } from '../src/consumer/consumer.ts';
import type { ConsumerObserver } from '../src/consumer/observer.ts';
import { CrashLimitError } from '../src/consumer/run-worker.ts';
import { type CrashFile, openCrashFile } from '../src/host/crashes/crash-file.ts';
import { exitCodes } from '../src/host/exit-codes.ts';
import type { Files } from '../src/host/files.ts';
import type { Host } from '../src/host/host.ts';
import type { Order, Report } from '../src/supervisor/parent-process.ts';
import type { ProcessEnd } from '../src/supervisor/respawn.ts';
import { Supervisor } from '../src/supervisor/supervisor.ts';
import type { MessageLog } from '../src/worker/current-message.ts';
import { MemoryFiles } from '../test/support/memory-files.ts';
import type { Delivery, DrainStart, Ledger } from './invariants.ts';
import type { ContainerPlan, Settings } from './plan.ts';
import { type Computer, EPOCH, type SimulatedProcess } from './process.ts';
import type { VirtualTime } from './virtual-time.ts';
import { makeWorker } from './worker.ts';

/** What containers need from their world. */
export interface Surroundings {
  readonly settings: Settings;
  /** The names of the queue and its dead-letter queue. */
  readonly queue: string;
  readonly deadLetterQueue: string;
  readonly time: VirtualTime;
  readonly ledger: Ledger;
  readonly log: (who: string, what: string) => void;
  /** Starts a process, with its own way to the broker. */
  readonly spawn: (name: string, computer: Computer) => SimulatedProcess & Host;
  /** What the worker does next with a message. */
  readonly nextAttempt: Parameters<typeof makeWorker>[0]['nextAttempt'];
}

/** How long systemd waits before it starts a container again, at least, in milliseconds. */
const RESTART_MS = 1_000;
/** How long a message between parent and child takes, in milliseconds. */
const CHANNEL_MS = 0.2;
/** Signals and orders come from outside: not on the clock of a process that is busy, and in their order. */
const NOW = 0;
const CRASH_FOLDER = '/var/lib/crashes';

export class SimulatedContainer implements Computer {
  clockOffset = 0;
  readonly files: MemoryFiles;
  readonly #plan: ContainerPlan;
  readonly #surroundings: Surroundings;
  /** Of the processes that run or have run. */
  #processIds = 0;
  readonly #startTimes = new Map<number, string>();
  readonly #programs = new Set<Program>();
  #main: Program | undefined;
  #isStopped = false;

  constructor(plan: ContainerPlan, surroundings: Surroundings) {
    this.#plan = plan;
    this.#surroundings = surroundings;
    const { time } = surroundings;
    this.files = new MemoryFiles({ wallClock: () => EPOCH + this.clockOffset + time.now });
    time.at(plan.startsAt, () => this.#start());
  }

  /** The processes that are running. */
  get processes(): SimulatedProcess[] {
    return [...this.#programs].map(({ process }) => process);
  }

  /** Sends SIGTERM to its main process. */
  terminate(): void {
    this.#main?.terminate();
  }

  /** Passes an order to its processes. */
  order(type: 'pause' | 'resume' | 'wake'): void {
    this.#main?.order(type);
  }

  /** Ends it for good, with SIGTERM. */
  stop(): void {
    this.#isStopped = true;
    this.terminate();
  }

  #start(): void {
    if (this.#isStopped) return;
    const { processes, number } = this.#plan;
    const name = `container ${number}`;
    const main = processes === 1 ? this.#startWorker(name) : this.#startParent(name, processes);
    this.#main = main;
    main.process.onDeath(() => {
      this.#main = undefined;
      // At other moments each time, or it might always miss a message that comes back at regular intervals.
      const pauseMs = RESTART_MS * (1 + main.process.random());
      this.#surroundings.time.at(this.#surroundings.time.now + pauseMs, () => this.#start());
    });
  }

  #startParent(name: string, count: number): Parent {
    const process = this.#spawn(name);
    const fork: Fork = (number, onReport, onEnd) => {
      const child = this.#startWorker(`${name}.${number}`, (report) => {
        process.run(child.process.time + CHANNEL_MS, 'answers', () => onReport(report));
      });
      child.process.onDeath(() => {
        process.run(child.process.time + 2 * CHANNEL_MS, 'answers', () => onEnd(child.end));
      });
      process.onDeath(() => child.process.run(process.time + CHANNEL_MS, 'answers', () => child.stop()));
      return {
        pid: child.processId,
        order: (order) => child.process.run(process.time + CHANNEL_MS, 'answers', () => child.obey(order)),
        kill: (signal) => {
          if (signal === 'SIGKILL') child.process.kill();
          else child.terminate();
        },
      };
    };
    return this.#add(new Parent(process, this.#surroundings, count, fork));
  }

  #startWorker(name: string, onReport?: (report: Report) => void): WorkerProgram {
    const process = this.#spawn(name);
    this.#processIds += 1;
    const processId = this.#processIds;
    const startTime = String(Math.round(process.time));
    this.#startTimes.set(processId, startTime);
    process.onDeath(() => this.#startTimes.delete(processId));
    this.#surroundings.ledger.processStarted(process, this);
    const crashes = () => {
      const identity = { processId, startTimeOf: (id: number) => this.#startTimes.get(id) };
      const files = filesOf(process, this.files);
      const slots = this.#surroundings.settings.concurrency;
      return openCrashFile({
        folder: CRASH_FOLDER,
        container: 'worker.ini',
        slots,
        machine: process,
        files,
        ...identity,
      });
    };
    return this.#add(
      new WorkerProgram({
        process,
        processId,
        surroundings: this.#surroundings,
        crashes,
        files: this.files,
        onReport,
      }),
    );
  }

  #spawn(name: string): SimulatedProcess & Host {
    this.#surroundings.log(name, 'starts');
    return this.#surroundings.spawn(name, this);
  }

  #add<Kind extends Program>(program: Kind): Kind {
    this.#programs.add(program);
    program.process.onDeath(() => this.#programs.delete(program));
    program.run();
    return program;
  }
}

type Fork = ConstructorParameters<typeof Supervisor>[0]['fork'];

interface Program {
  readonly process: SimulatedProcess;
  run(): void;
  /** SIGTERM. */
  terminate(): void;
  order(type: 'pause' | 'resume' | 'wake'): void;
}

/** The parent of several processes. */
class Parent implements Program {
  readonly process: SimulatedProcess;
  readonly #supervisor: Supervisor;
  #isStopping = false;

  constructor(process: SimulatedProcess, { settings, log }: Surroundings, count: number, fork: Fork) {
    this.process = process;
    const { concurrency, messageLimit, maxMemory } = settings;
    const logger = (text: string) => log(process.name, text);
    const options = {
      count,
      concurrency,
      messageLimit,
      maxMemory,
      log: loggerOf(logger),
      machine: process,
      fork,
    };
    this.#supervisor = new Supervisor(options);
  }

  run(): void {
    void this.#supervisor.run().then(() => this.process.kill());
  }

  order(type: 'pause' | 'resume' | 'wake'): void {
    this.process.run(NOW, 'answers', () => {
      if (type === 'wake') this.#supervisor.order({ type });
      else this.#supervisor[type]();
    });
  }

  terminate(): void {
    this.process.run(NOW, 'answers', () => {
      if (this.#isStopping) {
        this.#supervisor.kill();
        this.process.kill();
      }
      this.#isStopping = true;
      this.#supervisor.stop();
    });
  }
}

interface WorkerOptions {
  readonly process: SimulatedProcess & Host;
  readonly processId: number;
  readonly surroundings: Surroundings;
  readonly crashes: () => CrashFile;
  readonly files: MemoryFiles;
  /** Sends reports to the parent, if there is one. */
  readonly onReport: ((report: Report) => void) | undefined;
}

/** A process that handles messages. */
class WorkerProgram implements Program {
  readonly process: SimulatedProcess & Host;
  readonly processId: number;
  /** How it ended. */
  end: ProcessEnd = { code: null, signal: 'SIGKILL' };
  readonly #options: WorkerOptions;
  #consumer: Consumer | undefined;
  #drainStart: DrainStart | undefined;
  #isBroken = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.process = options.process;
    this.processId = options.processId;
    const { ledger } = options.surroundings;
    this.process.onDeath(() => ledger.processDied(this.process));
    this.process.onHalt = () => ledger.processHalted(this.process);
  }

  run(): void {
    this.#run().then(
      (code) => this.#exit(code),
      (error: unknown) => {
        // A killed process throws whatever it likes; nobody hears it.
        if (this.process.isAlive) throw error;
      },
    );
  }

  terminate(): void {
    this.process.run(NOW, 'answers', () => {
      if (this.#consumer?.state === 'draining' || !this.#consumer) this.process.kill();
      else this.stop();
    });
  }

  stop(): void {
    if (!this.#consumer || this.#consumer.state === 'draining') return;
    this.#drainStart = this.#options.surroundings.ledger.drainStarts(this.process);
    this.#consumer.stop();
  }

  order(type: 'pause' | 'resume' | 'wake'): void {
    this.process.run(NOW, 'answers', () => this.obey({ type }));
  }

  obey(order: Order): void {
    const consumer = this.#consumer;
    if (order.type === 'stop') this.stop();
    else if (order.type === 'allow') consumer?.allow(order.messages);
    else if (order.type !== 'reopenLogs') consumer?.[order.type]();
  }

  async #run(): Promise<number> {
    const { process, surroundings, onReport } = this.#options;
    const { ledger, settings, queue } = surroundings;
    const crashRecord = this.#openCrashRecord();
    const sharesMessageLimit = onReport !== undefined && settings.messageLimit !== undefined;
    const worker = makeWorker({
      ...{ process, ledger, nextAttempt: surroundings.nextAttempt, queue: await process.broker.open(queue) },
      exit: (delivery) => this.#crash(delivery),
      throwUncaught: () => {
        this.#isBroken = true;
        this.stop();
      },
    });
    this.#consumer = await Consumer.open(
      process,
      { ...settings, queue: [{ name: queue, weight: 1 }], deadLetterQueue: surroundings.deadLetterQueue },
      { worker, crashRecord, sharesMessageLimit, observers: [this.#observer()] },
    );
    onReport?.({ type: 'ready' });
    const report = await this.#consumer.run();
    if (!process.isAlive) return 0;
    ledger.drained(process, report, this.#drainStart);
    if (this.#consumer.idle) onReport?.({ type: 'idle' });
    if (this.#isBroken) return exitCodes.software;
    crashRecord?.close();
    return report.unfinished > 0 ? exitCodes.unfinished : exitCodes.done;
  }

  /** As in a container: without a record, messages are handled all the same. */
  #openCrashRecord(): CrashFile | undefined {
    const { process, surroundings, crashes } = this.#options;
    if (surroundings.settings.crashLimit === 0) return undefined;
    try {
      return crashes();
    } catch (error) {
      surroundings.log(process.name, `no crash marks: ${(error as Error).message}`);
      surroundings.ledger.crashRecordFailed();
      return undefined;
    }
  }

  #observer(): ConsumerObserver {
    const { process, files, onReport, surroundings } = this.#options;
    const { ledger } = surroundings;
    return {
      handled: ({ message }) => ledger.decided(message.receiptHandle, { action: 'delete' }),
      failed: ({ message }, error, outcome) => {
        // The messages log.
        process.leave('log');
        const isFull = files.full && outcome.action !== 'retry';
        ledger.decided(
          message.receiptHandle,
          isFull ? { action: 'retry' } : outcome,
          error instanceof CrashLimitError,
        );
        if (isFull) throw new Error('No space left on device');
      },
      done: () => onReport?.({ type: 'done' }),
      leaseLost: ({ message }) => ledger.leaseLost(message.receiptHandle),
    };
  }

  /** The worker ends its process. */
  #crash(delivery: Delivery): void {
    const { surroundings } = this.#options;
    if (!this.process.isAlive) return;
    surroundings.log(this.process.name, `${delivery.fate.body} ends the process`);
    surroundings.ledger.processDied(this.process, delivery);
    this.end = { code: 1, signal: null };
    this.process.kill();
  }

  #exit(code: number): void {
    const { surroundings } = this.#options;
    if (!this.process.isAlive) return;
    surroundings.log(this.process.name, `exits with code ${code}`);
    surroundings.ledger.processEnded(this.process);
    this.end = { code, signal: null };
    this.process.kill();
  }
}

/** The files of a computer as a process reaches them: it can be killed at each call. */
function filesOf(process: SimulatedProcess, files: Files): Files {
  return new Proxy(files, {
    get(target, name: keyof Files) {
      return (...args: unknown[]) => {
        const fault = process.leave('file');
        if (!process.isAlive) throw new Error('The process was killed.');
        try {
          return Reflect.apply(target[name], target, args) as unknown;
        } finally {
          if (fault?.does === 'kill after') process.kill();
        }
      };
    },
  });
}

function loggerOf(log: (text: string) => void): MessageLog {
  return { error: log, warn: log, info: log, debug: log };
}
