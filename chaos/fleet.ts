/**
 * The processes under test: each is started again when it ends, until the end of the run. Their logs are files in the
 * folder of the run, and all that was done to them is in the history.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { History } from './history.ts';

/** What a process of the fleet runs: a script of Node.js with its arguments. */
export interface Program {
  readonly script: string;
  readonly args: readonly string[];
}

export interface FleetOptions {
  /** What each process of the fleet runs. */
  readonly programs: readonly Program[];
  /** The working directory and HOME of the processes. Their logs are there: `process-0.log`, … */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly history: History;
}

interface Member {
  readonly program: Program;
  readonly name: string;
  child?: ChildProcess;
  restart?: NodeJS.Timeout;
  stoppedAt?: number | undefined;
  /** What was sent to the process, last, that is to end it. */
  ending?: NodeJS.Signals | undefined;
}

/** How long a process that has ended waits for its successor, in milliseconds. */
const RESTART_MS = 100;
/** How long processes may take to drain, in milliseconds. */
const DRAIN_MS = 60_000;

export class Fleet {
  readonly #options: FleetOptions;
  readonly #members: readonly Member[];
  #ends = false;
  /** How many ended otherwise than they should. */
  unexpectedExits = 0;
  /** How many ended well after a SIGTERM. */
  drains = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#members = options.programs.map((program, index) => ({ program, name: `process-${index}` }));
  }

  start(): void {
    for (const member of this.#members) this.#start(member);
    process.once('exit', this.#kill);
  }

  /** No process outlives this one. */
  readonly #kill = () => {
    for (const { child } of this.#members) child?.kill('SIGKILL');
  };

  get size(): number {
    return this.#members.length;
  }

  /** Resolves when this process has ended, and another one will be started. */
  async ended(index: number): Promise<void> {
    const { child } = this.#members[index]!;
    if (child && isRunning(child)) await once(child, 'exit');
  }

  /** True while there is a process that was not told to end. */
  isUp(index: number): boolean {
    const { child, ending } = this.#members[index]!;
    return child !== undefined && isRunning(child) && ending === undefined;
  }

  /** Sends SIGKILL or SIGTERM. A second SIGTERM would end a process at once: it is not sent, nor anything after SIGKILL. */
  end(index: number, signal: 'SIGKILL' | 'SIGTERM'): void {
    const member = this.#members[index]!;
    if (!member.child || !isRunning(member.child)) return;
    if (member.ending === signal || member.ending === 'SIGKILL') return;
    member.ending = signal;
    this.#options.history.note(`${signal} to ${nameOf(member)}`);
    if (signal === 'SIGKILL') {
      this.#continued(member);
      this.#options.history.incident(signal, { pid: member.child.pid });
    }
    member.child.kill(signal);
  }

  /** Sends SIGSTOP; `cont` ends it. */
  stop(index: number): void {
    const member = this.#members[index]!;
    if (!member.child || !isRunning(member.child)) return;
    this.#options.history.note(`SIGSTOP to ${nameOf(member)}`);
    member.stoppedAt = this.#options.history.now();
    member.child.kill('SIGSTOP');
  }

  cont(index: number): void {
    const member = this.#members[index]!;
    if (member.stoppedAt === undefined) return;
    this.#options.history.note(`SIGCONT to ${nameOf(member)}`);
    member.child!.kill('SIGCONT');
    this.#continued(member);
  }

  /** Drains all processes and starts no more. Those that do not end within a minute are killed, and counted as such. */
  async close(): Promise<void> {
    this.#ends = true;
    for (const index of this.#members.keys()) this.end(index, 'SIGTERM');
    for (const { restart } of this.#members) clearTimeout(restart);
    const deadline = setTimeout(() => {
      for (const index of this.#members.keys()) this.end(index, 'SIGKILL');
      this.unexpectedExits += 1;
    }, DRAIN_MS);
    await Promise.all(this.#members.map((_, index) => this.ended(index)));
    clearTimeout(deadline);
    process.removeListener('exit', this.#kill);
  }

  #start(member: Member): void {
    const { folder, environment } = this.#options;
    const log = openSync(join(folder, `${member.name}.log`), 'a');
    const { script, args } = member.program;
    member.child = spawn(process.execPath, [script, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', ...environment },
      stdio: ['ignore', log, log],
      // In process groups of their own: Ctrl-C is for this process.
      detached: true,
    });
    closeSync(log);
    member.ending = undefined;
    this.#options.history.note(`start of ${nameOf(member)}`);
    member.child.once('exit', (code, signal) => this.#exited(member, code, signal));
  }

  #exited(member: Member, code: number | null, signal: NodeJS.Signals | null): void {
    const { history } = this.#options;
    this.#continued(member);
    // Told to end before it could listen for that, it ends by the signal: not by the SIGKILL that may have come next.
    const isExpected =
      member.ending !== undefined && (code === 0 || signal === 'SIGTERM' || signal === member.ending);
    if (isExpected && code === 0) this.drains += 1;
    const isStart = code === UNREACHABLE_AT_START && history.isUnderFault();
    history.note(`end of ${nameOf(member)}: ${signal ?? code}${isExpected || isStart ? '' : ', UNEXPECTED'}`);
    if (!isExpected && !isStart) {
      this.unexpectedExits += 1;
      history.incident('unexpected end', { pid: member.child!.pid });
    }
    if (!this.#ends) member.restart = setTimeout(() => this.#start(member), RESTART_MS);
  }

  #continued(member: Member): void {
    if (member.stoppedAt === undefined) return;
    this.#options.history.incident('SIGSTOP', { pid: member.child!.pid, from: member.stoppedAt });
    member.stoppedAt = undefined;
  }
}

/** The exit code of a container whose broker cannot be reached when it starts. */
const UNREACHABLE_AT_START = 69;

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

function nameOf({ name, child }: Member): string {
  return `${name} (${child?.pid})`;
}
