/** Runs the compiled executables in separate processes and folders, which `cleanUp` kills and removes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PACKAGE = resolve(import.meta.dirname, '../..');
/** How long a spec waits for a line or an exit, in milliseconds. */
const PATIENCE_MS = 20_000;

const cleanUps: (() => unknown)[] = [];

/** Runs a step at the end of the spec, before the steps that were put off earlier. */
export function putOff(step: () => unknown): void {
  cleanUps.push(step);
}

/** For `afterEach`: runs the steps that were put off, which kill running processes and remove folders. */
export async function cleanUp(): Promise<void> {
  for (const step of cleanUps.splice(0).reverse()) await step();
}

/** Creates a folder with these files, by name. Workers in it can import `sqs-containers`. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'executables-'));
  putOff(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(PACKAGE, join(folder, 'node_modules/sqs-containers'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

export interface StartOptions {
  /** The working directory, also used as HOME so that the AWS settings of this machine are not found. */
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Its standard input. Default: empty. */
  readonly input?: string;
  /** A file descriptor for standard error, instead of collecting it in `stderr`. */
  readonly stderr?: number;
  /** The path of Node.js. Default: the one that runs the specs. */
  readonly node?: string;
  /** True to start it in its own process group, as a shell does. */
  readonly group?: boolean;
}

/** Starts `sqs-sequential`, `sqs-concurrent` or `sqs-queues`. */
export function start(
  program: 'sequential' | 'concurrent' | 'queues',
  args: readonly string[],
  options: StartOptions,
): Executable {
  const executable = new Executable(program, args, options);
  putOff(() => executable.kill());
  return executable;
}

/** Starts an executable and waits until it exits. */
export async function run(...given: Parameters<typeof start>): Promise<Executable> {
  const executable = start(...given);
  await executable.exit();
  return executable;
}

export class Executable {
  stdout = '';
  stderr = '';
  /** The exit code, or the signal that killed it; undefined while it runs. */
  ended: number | NodeJS.Signals | undefined;
  readonly #child: ChildProcess;
  readonly #group: boolean;
  readonly #closed: Promise<unknown>;
  readonly #checks = new Set<() => void>();

  constructor(program: string, args: readonly string[], options: StartOptions) {
    const {
      folder,
      environment,
      input = '',
      stderr = 'pipe',
      node = process.execPath,
      group = false,
    } = options;
    this.#group = group;
    this.#child = spawn(node, [join(PACKAGE, `dist/containers/${program}.js`), ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', ...environment },
      stdio: ['pipe', 'pipe', stderr],
      detached: group,
    });
    this.#closed = once(this.#child, 'close');
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#child[stream]?.setEncoding('utf8').on('data', (text: string) => {
        this[stream] += text;
        this.#check();
      });
    }
    this.#child.on('close', (code, signal) => {
      this.ended = signal ?? code ?? undefined;
      this.#check();
    });
    // Exiting without reading the input is not an error.
    this.#child.stdin?.on('error', () => {}).end(input);
  }

  /** Resolves when its output matches, `times` times in total; rejects if it exits first. */
  async prints(pattern: RegExp, times = 1): Promise<void> {
    const found = () => (this.output.match(new RegExp(pattern, 'gm')) ?? []).length >= times;
    await this.#until(() => found() || this.ended !== undefined, `it prints ${pattern}`);
    if (!found()) throw new Error(`It exited (${this.ended}) without printing ${pattern}:\n${this.output}`);
  }

  /** Everything it has written; standard error comes last. */
  get output(): string {
    return `${this.stdout}\n${this.stderr}`;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Signals all processes of its group, as the terminal does. */
  signalGroup(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
  }

  /** Resolves to the exit code, or to the signal that killed it. */
  async exit(): Promise<number | NodeJS.Signals> {
    await this.#until(() => this.ended !== undefined, 'it exits');
    return this.ended ?? Number.NaN;
  }

  async kill(): Promise<void> {
    if (this.ended === undefined) this.#group ? this.signalGroup('SIGKILL') : this.signal('SIGKILL');
    await this.#closed;
  }

  #until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (condition()) end(resolve);
      };
      const timer = setTimeout(
        () => end(() => reject(new Error(`Timed out waiting until ${what}:\n${this.output}`))),
        PATIENCE_MS,
      );
      const end = (finish: () => void) => {
        clearTimeout(timer);
        this.#checks.delete(check);
        finish();
      };
      this.#checks.add(check);
      check();
    });
  }

  #check(): void {
    for (const check of this.#checks) check();
  }
}

/** Polls until the condition holds. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Timed out waiting until ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
