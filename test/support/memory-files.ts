/**
 * A file system in memory for crash records, which the simulated processes share. Like a real one, it keeps the files of a
 * process that crashed. Only files are stored: every folder exists, is empty at first, and belongs to this user.
 */
import type { FileStats, Files, FolderStats } from '../../src/host/files.ts';
import type { Machine } from '../../src/host/host.ts';

interface MemoryFile extends FileStats {
  text: string;
  size: number;
  mtimeMs: number;
}

export class MemoryFiles implements Files {
  /** True while the disk is full: every write fails with ENOSPC, but files can be created and removed. */
  full = false;
  readonly #machine: Pick<Machine, 'wallClock'>;
  readonly #files = new Map<string, MemoryFile>();
  /** The open files by descriptor: a process can write to its file after another process has removed it. */
  readonly #open = new Map<number, MemoryFile>();
  #lastDescriptor = 2;

  /** `machine` supplies the times of the last writes. */
  constructor(machine: Pick<Machine, 'wallClock'>) {
    this.#machine = machine;
  }

  mkdirSync(): void {}

  lstatSync(): FolderStats {
    return { mode: 0o700, uid: process.getuid?.() ?? 0, isDirectory: () => true };
  }

  statSync(path: string): FileStats | undefined {
    return this.#files.get(path);
  }

  readdirSync(folder: string): string[] {
    const paths = [...this.#files.keys()].filter((path) => path.startsWith(`${folder}/`));
    return paths.map((path) => path.slice(folder.length + 1)).sort();
  }

  readFileSync(path: string): string {
    return (this.#files.get(path) ?? fail('ENOENT', path)).text;
  }

  appendFileSync(path: string, text: string): void {
    const file = this.#files.get(path) ?? this.#create(path);
    this.#write(file, file.text.length, text);
  }

  openSync(path: string): number {
    if (this.#files.has(path)) fail('EEXIST', path);
    this.#lastDescriptor += 1;
    this.#open.set(this.#lastDescriptor, this.#create(path));
    return this.#lastDescriptor;
  }

  writeSync(descriptor: number, text: string, position = 0): number {
    this.#write(this.#open.get(descriptor) ?? fail('EBADF', 'write'), position, text);
    return text.length;
  }

  closeSync(descriptor: number): void {
    if (!this.#open.delete(descriptor)) fail('EBADF', 'close');
  }

  unlinkSync(path: string): void {
    if (!this.#files.delete(path)) fail('ENOENT', path);
  }

  rmSync(path: string): void {
    this.#files.delete(path);
  }

  #create(path: string): MemoryFile {
    const file = { text: '', size: 0, mtimeMs: this.#machine.wallClock() };
    this.#files.set(path, file);
    return file;
  }

  #write(file: MemoryFile, position: number, text: string): void {
    if (this.full) fail('ENOSPC', 'write');
    file.text =
      file.text.slice(0, position).padEnd(position, '\0') + text + file.text.slice(position + text.length);
    file.size = file.text.length;
    file.mtimeMs = this.#machine.wallClock();
  }
}

function fail(code: string, what: string): never {
  throw Object.assign(new Error(`${code}: ${what}`), { code });
}
