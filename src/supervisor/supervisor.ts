/**
 * The decisions of the parent of several processes:
 * 1. one process starts; once it is ready, the others do: what is wrong with the settings is said once;
 * 2. a process that ends by itself is started again, at first at once, then after growing pauses;
 * 3. one that uses too much memory drains as soon as its replacement is ready;
 * 4. the message limit is handed out in shares;
 * 5. in the end all drain, and the exit code says how that went.
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
  /** How many processes. */
  readonly count: number;
  /** How many messages each of them handles at once. */
  readonly concurrency: number;
  /** Drain after so many messages in all. */
  readonly messageLimit: number | undefined;
  /** Bytes; what a process that reports more has too much of. */
  readonly maxMemory: number | undefined;
  readonly log: Logger;
  readonly machine: Machine;
  /** Starts a child, and tells what it reports and when it has ended. */
  readonly fork: (
    number: number,
    onReport: (report: Report) => void,
    onEnd: (end: ProcessEnd) => void,
  ) => Child;
}

/** One of the processes: one child after another. */
interface Replica {
  readonly number: number;
  readonly backoff: RespawnBackoff;
  current: Running | undefined;
  /** Uses too much memory: drains as soon as the current one is ready. */
  retiring: Running | undefined;
  pause: Timer | undefined;
}

/** A child, from its start to its end. */
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
  /** The exit code of a process that is not started again, and that of the drain. */
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

  /** Resolves to the exit code when all processes have ended, and none is to be started again. */
  run(): Promise<ExitCode> {
    const [first] = this.#replicas;
    if (first) this.#start(first);
    return this.#ended.promise;
  }

  /** All processes drain. Calling it again changes nothing. */
  stop(): void {
    this.#stopping = true;
    for (const replica of this.#replicas) {
      this.#options.machine.clearTimeout(replica.pause);
      replica.pause = undefined;
    }
    for (const running of this.#running) this.#stop(running);
    this.#endIfEmpty();
  }

  /** No process receives anything more until `resume`, those that start meanwhile included. */
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

  /** Tells all processes. */
  order(order: Order): void {
    for (const { child } of this.#running) child.order(order);
  }

  /** Ends all processes at once. */
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

  /** Says what became of a child, and starts the next one: after a pause if this one ran for a short time only. */
  #startAgain({ replica, startedAt }: Running, say: (when: string) => void): void {
    const { machine } = this.#options;
    const pauseMs = replica.backoff.next(machine.now() - startedAt);
    say(describePause(pauseMs));
    if (pauseMs === 0) this.#start(replica);
    else replica.pause = machine.setTimeout(() => this.#start(replica), pauseMs);
  }

  #stop(running: Running): void {
    if (running.stopping) return;
    running.stopping = true;
    running.child.order({ type: 'stop' });
    // It would obey only when it is ready, however long its worker takes to start.
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
    // One replacement at a time: it will report again.
    if (this.#stopping || replica.current !== running || replica.retiring) return;
    const { log, maxMemory = 0 } = this.#options;
    const excess = `used ${inMegabytes(bytes)}, more than max_memory = ${inMegabytes(maxMemory)}`;
    replica.retiring = running;
    replica.current = undefined;
    this.#startAgain(running, (when) => log.warn(`${describe(running)} ${excess}: replaced ${when}`));
  }

  #childEnded(running: Running, end: ProcessEnd): void {
    const { replica } = running;
    const isRetiring = replica.retiring === running;
    if (isRetiring) replica.retiring = undefined;
    else replica.current = undefined;
    this.#shares?.ended(running);
    for (const other of this.#running) this.#share(other);
    const { log } = this.#options;
    const words = `${describe(running)} ended: ${describeEnd(end)}`;
    const code = 'code' in end ? end.code : null;
    if (this.#stopping || isRetiring) {
      const isFine = code === exitCodes.done || !running.ready;
      log[isFine ? 'info' : 'error'](words);
      if (this.#stopping && !isFine) this.#noteDrain(code);
    } else if (running.idle && code === exitCodes.done) {
      log.info(`${words}, after no message came for idle_exit`);
    } else if (this.#isFinal(code)) {
      log.error(`${words}; it is not started again`);
      this.#finalCode = code;
      this.stop();
    } else {
      this.#startAgain(running, (when) => log.error(`${words}; starting again ${when}`));
    }
    this.#endIfEmpty();
  }

  /** True for the exit codes of what starting again will not help. */
  #isFinal(code: number | null): code is ExitCode {
    if (code === exitCodes.unavailable) return !this.#anyWasReady;
    return code === exitCodes.configuration || code === exitCodes.usage;
  }

  /** A process did not drain as it should: the worst of these is the exit code of all. */
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
  return `process ${replica.number} (pid ${child.pid ?? 'unknown'})`;
}

function inMegabytes(bytes: number): string {
  return `${Math.round(bytes / MEGABYTE)} MB`;
}
