/**
 * The processes under test. Each is restarted when it exits, until the end of the run. Their logs are in the run's folder,
 * and everything done to them is in the history.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { History } from './history.ts';

/** The program of a process: a Node.js script with its arguments. */
export interface Program {
  readonly script: string;
  readonly args: readonly string[];
}

export interface FleetOptions {
  /** One program for each process. */
  readonly programs: readonly Program[];
  /** The working directory and HOME of the processes, with their logs: `process-0.log`, … */
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
  /** The last signal sent to end the process. */
  ending?: NodeJS.Signals | undefined;
}

/** The pause before a restart, in milliseconds. */
const RESTART_MS = 100;
/** How long processes can take to drain, in milliseconds. */
const DRAIN_MS = 60_000;

export class Fleet {
  readonly #options: FleetOptions;
  readonly #members: readonly Member[];
  #ends = false;
  /** How many processes exited unexpectedly. */
  unexpectedExits = 0;
  /** How many processes exited gracefully after SIGTERM. */
  drains = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#members = options.programs.map((program, index) => ({ program, name: `process-${index}` }));
  }

  start(): void {
    for (const member of this.#members) this.#start(member);
    process.once('exit', this.#kill);
  }

  /** Kills all processes, so that none outlives this one. */
  readonly #kill = () => {
    for (const { child } of this.#members) child?.kill('SIGKILL');
  };

  get size(): number {
    return this.#members.length;
  }

  /** Resolves when this process has exited; it will be restarted. */
  async ended(index: number): Promise<void> {
    const { child } = this.#members[index]!;
    if (child && isRunning(child)) await once(child, 'exit');
  }

  /** True while the process is running and was not told to stop. */
  isUp(index: number): boolean {
    const { child, ending } = this.#members[index]!;
    return child !== undefined && isRunning(child) && ending === undefined;
  }

  /** Sends SIGKILL or SIGTERM. Never sends a second SIGTERM, which would force an exit, or any signal after SIGKILL. */
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

  /** Sends SIGSTOP; `cont` resumes the process. */
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

  /** Drains all processes without restarting them. Kills those still running after a minute: an unexpected exit. */
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
      // In separate process groups, so that Ctrl-C reaches only this process.
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
    // A SIGTERM before the process listens for it kills it, even if `ending` is already a later SIGKILL.
    const isExpected =
      member.ending !== undefined && (code === 0 || signal === 'SIGTERM' || signal === member.ending);
    if (isExpected && code === 0) this.drains += 1;
    const isStart = code === UNREACHABLE_AT_START && history.isUnderFault();
    history.note(
      `exit of ${nameOf(member)}: ${signal ?? code}${isExpected || isStart ? '' : ', UNEXPECTED'}`,
    );
    if (!isExpected && !isStart) {
      this.unexpectedExits += 1;
      history.incident('unexpected exit', { pid: member.child!.pid });
    }
    if (!this.#ends) member.restart = setTimeout(() => this.#start(member), RESTART_MS);
  }

  #continued(member: Member): void {
    if (member.stoppedAt === undefined) return;
    this.#options.history.incident('SIGSTOP', { pid: member.child!.pid, from: member.stoppedAt });
    member.stoppedAt = undefined;
  }
}

/** The exit code of a container whose broker is unreachable at start. */
const UNREACHABLE_AT_START = 69;

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

function nameOf({ name, child }: Member): string {
  return `${name} (${child?.pid})`;
}
