/**
 * The decisions of the parent of several processes:
 * 1. it starts one process, and the others once that one is ready, so that a bad setting is logged only once;
 * 2. it restarts a process that exits on its own, first immediately, then after growing pauses;
 * 3. it replaces a process that uses too much memory: the old one drains as soon as the new one is ready;
 * 4. it hands out the message limit in shares;
 * 5. when it stops, all processes drain; the exit code tells whether they finished their messages.
 */

import type { ConsumerState } from '../consumer/consumer.ts';
import { type ExitCode, exitCodes } from '../host/exit-codes.ts';
import type { Machine, Timer } from '../host/host.ts';
import type { Logger } from '../observe/logging/loggers.ts';
import type { Order, Report } from './parent-process.ts';
import { describeEnd, describePause, type ProcessEnd, RespawnBackoff } from './respawn.ts';
import { SharedMessageLimit } from './shared-message-limit.ts';

/** A child process. */
export interface Child {
  readonly pid: number | undefined;
  order(order: Order): void;
  kill(signal: NodeJS.Signals): void;
}

export interface SupervisorOptions {
  /** Number of processes. */
  readonly count: number;
  /** Messages that each process handles at once. */
  readonly concurrency: number;
  /** Drain after this many messages in total. */
  readonly messageLimit: number | undefined;
  /** In bytes. A process that uses more is replaced. */
  readonly maxMemory: number | undefined;
  readonly log: Logger;
  readonly machine: Machine;
  /** Starts a child, and passes on its reports and its exit. */
  readonly fork: (
    number: number,
    onReport: (report: Report) => void,
    onEnd: (end: ProcessEnd) => void,
  ) => Child;
}

/** A numbered process, run by one child after another. */
interface Replica {
  readonly number: number;
  readonly backoff: RespawnBackoff;
  current: Running | undefined;
  /** The child that used too much memory: drains as soon as the current one is ready. */
  retiring: Running | undefined;
  pause: Timer | undefined;
}

/** A child, from start to exit. */
interface Running {
  readonly replica: Replica;
  readonly child: Child;
  readonly startedAt: number;
  ready: boolean;
  stopping: boolean;
  idle: boolean;
}

const MEGABYTE = 2 ** 20;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #replicas: readonly Replica[];
  readonly #shares: SharedMessageLimit<Running> | undefined;
  readonly #ended = Promise.withResolvers<ExitCode>();
  #anyWasReady = false;
  #stopping = false;
  #paused = false;
  /** The exit code of a process that is not restarted; it takes precedence over that of the drain. */
  #finalCode: ExitCode | undefined;
  #drainCode: ExitCode = exitCodes.done;

  constructor(options: SupervisorOptions) {
    const { count, concurrency, messageLimit } = options;
    this.#options = options;
    this.#replicas = Array.from({ length: count }, (_, index) => ({
      number: index + 1,
      backoff: new RespawnBackoff(options.machine.random),
      current: undefined,
      retiring: undefined,
      pause: undefined,
    }));
    if (messageLimit !== undefined) {
      this.#shares = new SharedMessageLimit({ limit: messageLimit, processes: count, concurrency });
    }
  }

  /** Resolves to the exit code when all processes have exited and none will be restarted. */
  run(): Promise<ExitCode> {
    const [first] = this.#replicas;
    if (first) this.#start(first);
    return this.#ended.promise;
  }

  /** Drains all processes. Calling it again has no effect. */
  stop(): void {
    this.#stopping = true;
    for (const replica of this.#replicas) {
      this.#options.machine.clearTimeout(replica.pause);
      replica.pause = undefined;
    }
    for (const running of this.#running) this.#stop(running);
    this.#endIfEmpty();
  }

  /** Stops all processes from receiving until `resume`, including those that start in the meantime. */
  pause(): void {
    this.#paused = true;
    this.order({ type: 'pause' });
  }

  resume(): void {
    this.#paused = false;
    this.order({ type: 'resume' });
  }

  get state(): ConsumerState {
    if (this.#stopping) return 'draining';
    return this.#paused ? 'paused' : 'running';
  }

  /** Sends an order to all processes. */
  order(order: Order): void {
    for (const { child } of this.#running) child.order(order);
  }

  /** Kills all processes immediately. */
  kill(): void {
    for (const { child } of this.#running) child.kill('SIGKILL');
  }

  get #running(): Running[] {
    return this.#replicas
      .flatMap(({ current, retiring }) => [current, retiring])
      .filter((running) => running !== undefined);
  }

  #start(replica: Replica): void {
    replica.pause = undefined;
    const { number } = replica;
    const child = this.#options.fork(
      number,
      (report) => this.#reported(running, report),
      (end) => this.#childEnded(running, end),
    );
    const startedAt = this.#options.machine.now();
    const running: Running = { replica, child, startedAt, ready: false, stopping: false, idle: false };
    replica.current = running;
    if (this.#paused) child.order({ type: 'pause' });
    this.#options.log.info(`${describe(running)} started`);
  }

  /** Logs what happened to a child, and starts the next one: after a pause, if several short runs came in a row. */
  #startAgain({ replica, startedAt }: Running, log: (when: string) => void): void {
    const { machine } = this.#options;
    const pauseMs = replica.backoff.next(machine.now() - startedAt);
    log(describePause(pauseMs));
    if (pauseMs === 0) this.#start(replica);
    else replica.pause = machine.setTimeout(() => this.#start(replica), pauseMs);
  }

  #stop(running: Running): void {
    if (running.stopping) return;
    running.stopping = true;
    running.child.order({ type: 'stop' });
    // It carries out orders only once it is ready, and its worker may take long to start.
    if (!running.ready) running.child.kill('SIGTERM');
  }

  #reported(running: Running, report: Report): void {
    if (report.type === 'ready') this.#isReady(running);
    else if (report.type === 'done') this.#isDone(running);
    else if (report.type === 'memory') this.#usesTooMuch(running, report.bytes);
    else if (report.type === 'idle') running.idle = true;
  }

  #isReady(running: Running): void {
    running.ready = true;
    this.#share(running);
    const { retiring } = running.replica;
    if (retiring) this.#stop(retiring);
    if (this.#anyWasReady) return;
    this.#anyWasReady = true;
    if (!this.#stopping) for (const replica of this.#replicas) if (!replica.current) this.#start(replica);
  }

  #isDone(running: Running): void {
    this.#shares?.done(running);
    if (this.#shares?.allDone) this.stop();
    else this.#share(running);
  }

  #share(running: Running): void {
    if (!this.#shares || !running.ready || running.stopping) return;
    const messages = this.#shares.grant(running);
    if (messages > 0) running.child.order({ type: 'allow', messages });
  }

  #usesTooMuch(running: Running, bytes: number): void {
    const { replica } = running;
    // One replacement at a time. The process reports again in a second.
    if (this.#stopping || replica.current !== running || replica.retiring) return;
    const { log, maxMemory = 0 } = this.#options;
    const excess = `used ${inMegabytes(bytes)}, more than max_memory = ${inMegabytes(maxMemory)}`;
    replica.retiring = running;
    replica.current = undefined;
    this.#startAgain(running, (when) => log.warn(`${describe(running)} ${excess}: replacing it ${when}`));
  }

  #childEnded(running: Running, end: ProcessEnd): void {
    const { replica } = running;
    const isRetiring = replica.retiring === running;
    if (isRetiring) replica.retiring = undefined;
    else replica.current = undefined;
    this.#shares?.ended(running);
    for (const other of this.#running) this.#share(other);
    const { log } = this.#options;
    const exit = `${describe(running)} exited: ${describeEnd(end)}`;
    const code = 'code' in end ? end.code : null;
    if (this.#stopping || isRetiring) {
      const isFine = code === exitCodes.done || !running.ready;
      log[isFine ? 'info' : 'error'](exit);
      if (this.#stopping && !isFine) this.#noteDrain(code);
    } else if (running.idle && code === exitCodes.done) {
      log.info(`${exit}, no message arrived for idle_exit seconds`);
    } else if (this.#isFinal(code)) {
      log.error(`${exit}; not restarting it`);
      this.#finalCode = code;
      this.stop();
    } else {
      this.#startAgain(running, (when) => log.error(`${exit}; restarting ${when}`));
    }
    this.#endIfEmpty();
  }

  /** True for exit codes of errors that a restart would not fix. */
  #isFinal(code: number | null): code is ExitCode {
    if (code === exitCodes.unavailable) return !this.#anyWasReady;
    return code === exitCodes.configuration || code === exitCodes.usage;
  }

  /** A process did not drain cleanly: the worst of their exit codes becomes that of the container. */
  #noteDrain(code: number | null): void {
    if (code !== exitCodes.unfinished) this.#drainCode = exitCodes.software;
    else if (this.#drainCode === exitCodes.done) this.#drainCode = exitCodes.unfinished;
  }

  #endIfEmpty(): void {
    const isEmpty = this.#replicas.every(
      ({ current, retiring, pause }) => !current && !retiring && pause === undefined,
    );
    if (isEmpty) this.#ended.resolve(this.#finalCode ?? this.#drainCode);
  }
}

function describe({ replica, child }: Running): string {
  return `Process ${replica.number} (pid ${child.pid ?? 'unknown'})`;
}

function inMegabytes(bytes: number): string {
  return `${Math.round(bytes / MEGABYTE)} MB`;
}
