/**
 * A container in a simulated world, as systemd runs it: one process, or several under the real supervisor; started again
 * whenever it ends.
 */
import type { Host } from '../src/host/host.ts';
import { Supervisor } from '../src/supervisor/supervisor.ts';
import { MemoryFiles } from '../test/support/memory-files.ts';
import type { ContainerPlan } from './plan.ts';
import { type Computer, EPOCH, NOW, type SimulatedProcess } from './process.ts';
import { type Surroundings, WorkerProcess } from './worker-process.ts';

/** How long systemd waits before it starts a container again, at least, in milliseconds. */
const RESTART_MS = 1_000;
/** How long a message between parent and child takes, in milliseconds. */
const CHANNEL_MS = 0.2;

/** The main process: the parent or the only worker. */
interface Main {
  readonly process: SimulatedProcess;
  /** SIGTERM. */
  terminate(): void;
  obey(order: { readonly type: 'pause' | 'resume' | 'wake' }): void;
}

export class SimulatedContainer implements Computer {
  clockOffset = 0;
  readonly files: MemoryFiles;
  /** The processes that are running. */
  readonly processes = new Set<SimulatedProcess>();
  readonly #plan: ContainerPlan;
  readonly #world: Surroundings;
  /** When the workers that are running were started, by process id. */
  readonly #startTimes = new Map<number, string>();
  #processIds = 0;
  #main: Main | undefined;
  #isStopped = false;

  constructor(plan: ContainerPlan, world: Surroundings) {
    this.#plan = plan;
    this.#world = world;
    this.files = new MemoryFiles({ wallClock: () => EPOCH + this.clockOffset + world.time.now });
    world.time.at(plan.startsAt, () => this.#start());
  }

  /** Sends SIGTERM to its main process. */
  terminate(): void {
    this.#call((main) => main.terminate());
  }

  order(type: 'pause' | 'resume' | 'wake'): void {
    this.#call((main) => main.obey({ type }));
  }

  /** Ends it for good, with SIGTERM. */
  stop(): void {
    this.#isStopped = true;
    this.terminate();
  }

  #call(callback: (main: Main) => void): void {
    const main = this.#main;
    main?.process.run(NOW, 'answers', () => callback(main));
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
      this.#world.time.at(this.#world.time.now + pauseMs, () => this.#start());
    });
  }

  #startParent(name: string, count: number): Main {
    const { settings, log } = this.#world;
    const { concurrency, messageLimit, maxMemory } = settings;
    const process = this.#spawn(name);
    const write = (text: string) => log(name, text);
    const supervisor = new Supervisor({
      ...{ count, concurrency, messageLimit, maxMemory, machine: process },
      log: { error: write, warn: write, info: write, debug: write },
      fork: (number, onReport, onEnd) => {
        const child = this.#startWorker(`${name}.${number}`, (report) => {
          if (child.process.isAlive) send(child.process, process, () => onReport(report));
        });
        // After its last report.
        child.process.onDeath(() => send(child.process, process, () => onEnd(child.end), 2 * CHANNEL_MS));
        process.onDeath(() => send(process, child.process, () => child.obey({ type: 'stop' })));
        return {
          pid: child.pid,
          order: (order) => send(process, child.process, () => child.obey(order)),
          kill: (signal) => {
            if (signal === 'SIGKILL') child.process.kill();
            else child.process.run(NOW, 'answers', () => child.terminate());
          },
        };
      },
    });
    void supervisor.run().then(() => process.kill());
    let isStopping = false;
    return {
      process,
      terminate: () => {
        if (isStopping) {
          supervisor.kill();
          process.kill();
        }
        isStopping = true;
        supervisor.stop();
      },
      obey: ({ type }) => (type === 'wake' ? supervisor.order({ type }) : supervisor[type]()),
    };
  }

  #startWorker(
    name: string,
    report?: ConstructorParameters<typeof WorkerProcess>[0]['report'],
  ): WorkerProcess {
    const process = this.#spawn(name);
    this.#processIds += 1;
    const processId = this.#processIds;
    this.#startTimes.set(processId, String(Math.round(process.time)));
    process.onDeath(() => this.#startTimes.delete(processId));
    const identity = { processId, startTimeOf: (id: number) => this.#startTimes.get(id) };
    return new WorkerProcess({ process, world: this.#world, files: this.files, identity, report });
  }

  #spawn(name: string): SimulatedProcess & Host {
    this.#world.log(name, 'starts');
    const process = this.#world.spawn(name, this);
    this.processes.add(process);
    process.onDeath(() => this.processes.delete(process));
    return process;
  }
}

/** Calls back in process `to`. */
function send(from: SimulatedProcess, to: SimulatedProcess, callback: () => void, ms = CHANNEL_MS): void {
  to.run(from.time + ms, 'answers', callback);
}
