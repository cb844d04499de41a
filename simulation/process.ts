/**
 * A process in virtual time: the machine that its run loop sees. It can be stopped and continued, blocked by its own
 * code, and killed. A killed process never hears anything again: its timers do not fire and its requests get no answer.
 */
import type { Random } from '../harness/random.ts';
import type { Machine, Timer } from '../src/host/host.ts';
import type { Call, CallFault } from './faults.ts';
import type { VirtualEvent, VirtualTime } from './virtual-time.ts';

/** The time of day when a world begins, in milliseconds since the epoch. */
export const EPOCH = Date.UTC(2026, 0, 1);

/** What processes on one computer share. */
export interface Computer {
  /** How far its clock has been stepped, in milliseconds. */
  clockOffset: number;
}

/** What comes from outside, such as a signal, is not on the clock of a process that is busy. */
export const NOW = 0;

export class SimulatedProcess implements Machine {
  readonly name: string;
  readonly computer: Computer;
  /** Bound, because it is passed on alone. */
  readonly random = (): number => {
    this.leave('random');
    return this.#random();
  };
  /** Called when it is stopped or blocked. */
  onHalt = () => {};
  isAlive = true;
  /** The direction in which its network is cut, if any. */
  partition: 'in' | 'out' | undefined;
  /** How much longer its requests and answers take, at most, in milliseconds. */
  slowness = 0;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #faultAt: (call: Call) => CallFault | undefined;
  readonly #timers = new Set<Timer>();
  readonly #deaths: (() => void)[] = [];
  /** What is to run when it is no longer halted: timers first, as in Node's event loop. */
  #held: Record<'timers' | 'answers', (() => void)[]> = { timers: [], answers: [] };
  #busyUntil = 0;
  #stoppedUntil = 0;
  #uuids = 0;

  /** `faultAt` says what goes wrong at its next call of a kind. */
  constructor(
    name: string,
    time: VirtualTime,
    computer: Computer,
    random: Random,
    faultAt: (call: Call) => CallFault | undefined = () => undefined,
  ) {
    this.name = name;
    this.computer = computer;
    this.#time = time;
    this.#random = random;
    this.#faultAt = faultAt;
  }

  /** True while its code cannot run. */
  get isHalted(): boolean {
    return this.#time.now < Math.max(this.#busyUntil, this.#stoppedUntil);
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  /** The time as its code sees it: code that blocks is ahead of the world. */
  get time(): number {
    return Math.max(this.#time.now, this.#busyUntil);
  }

  now(): number {
    this.leave('clock');
    return this.time;
  }
  wallClock(): number {
    this.leave('clock');
    return EPOCH + this.computer.clockOffset + this.time;
  }
  uuid(): string {
    this.#uuids += 1;
    const number = Math.floor(this.random() * 2 ** 48).toString(16);
    return `${this.#uuids.toString(16).padStart(8, '0')}-0000-4000-8000-${number.padStart(12, '0')}`;
  }
  nextTurn(callback: () => void): void {
    this.run(this.time, 'answers', callback);
  }
  setTimeout(callback: () => void, milliseconds: number): Timer {
    return this.#setTimer(callback, milliseconds, false);
  }
  setInterval(callback: () => void, milliseconds: number): Timer {
    return this.#setTimer(callback, milliseconds, true);
  }
  clearTimeout(timer: Timer | undefined): void {
    if (timer && this.#timers.delete(timer)) this.#time.cancel((timer as { event: VirtualEvent }).event);
  }
  clearInterval(timer: Timer | undefined): void {
    this.clearTimeout(timer);
  }

  /** Called before each call that leaves the process: may kill it. Returns the fault that is up to the caller. */
  leave(call: Call): CallFault | undefined {
    const fault = this.#faultAt(call);
    if (fault && (fault.does === 'kill before' || call === 'clock' || call === 'random')) this.kill();
    return fault;
  }

  /** Runs code of this process at a time: later while it is busy or stopped, never if it is killed. */
  run(at: number, kind: 'timers' | 'answers', callback: () => void): VirtualEvent {
    return this.#time.at(at, () => {
      if (!this.isAlive) return;
      if (!this.isHalted) return callback();
      const { timers, answers } = this.#held;
      if (timers.length + answers.length === 0) this.#runHeldLater();
      this.#held[kind].push(callback);
    });
  }

  #runHeldLater(): void {
    this.#time.at(Math.max(this.#busyUntil, this.#stoppedUntil), () => {
      if (this.isHalted) return this.#runHeldLater();
      const { timers, answers } = this.#held;
      this.#held = { timers: [], answers: [] };
      for (const callback of timers) this.run(NOW, 'timers', callback);
      for (const callback of answers) this.run(NOW, 'answers', callback);
    });
  }

  /** Its code computes for this long, by default once it is no longer busy: nothing else runs meanwhile. */
  block(milliseconds: number, since = this.time): void {
    this.onHalt();
    this.#busyUntil = Math.max(this.#busyUntil, Math.max(since, this.#time.now) + milliseconds);
  }

  /** Stops it (SIGSTOP) for this long. */
  stop(milliseconds: number): void {
    this.onHalt();
    this.#stoppedUntil = this.#time.now + milliseconds;
  }

  /** Ends it without any warning. */
  kill(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#timers.clear();
    for (const died of this.#deaths) died();
  }

  /** Calls back when it ends, or now if it has. */
  onDeath(died: () => void): void {
    if (this.isAlive) this.#deaths.push(died);
    else died();
  }

  #setTimer(callback: () => void, milliseconds: number, repeats: boolean): Timer {
    // As in Node, where the shortest timer is a millisecond.
    const later = () => this.run(this.time + Math.max(1, milliseconds), 'timers', fire);
    const fire = () => {
      // It may have been cleared while the process was stopped or busy.
      if (!this.#timers.has(timer)) return;
      if (!repeats) this.#timers.delete(timer);
      const fault = this.leave('timer');
      if (!this.isAlive) return;
      if (repeats) timer.event = later();
      callback();
      if (fault?.does === 'kill after') this.kill();
    };
    const timer = { event: later() };
    if (this.isAlive) this.#timers.add(timer);
    return timer;
  }
}
