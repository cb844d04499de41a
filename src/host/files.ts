/** The crash record's seam to the file system: the functions of `node:fs` that it calls. Their errors are Node's. */

/** The part of Node's `Stats` that we read of a file. */
export interface FileStats {
  /** In bytes. */
  readonly size: number;
  /** The time of the last write, in milliseconds since the epoch. */
  readonly mtimeMs: number;
}

/** The part of Node's `Stats` that we read of a folder. */
export interface FolderStats {
  /** Includes the permissions. */
  readonly mode: number;
  /** The ID of the user who owns the folder. */
  readonly uid: number;
  /** False for a symbolic link to a folder. */
  isDirectory(): boolean;
}

/** Synchronous functions of `node:fs`, each with only the arguments that we pass. `node:fs` itself implements it. */
export interface Files {
  /** Creates a folder and its parents, unless they exist. */
  mkdirSync(folder: string, options: { readonly recursive: true; readonly mode: number }): unknown;
  /** Does not follow a symbolic link. Throws ENOENT if the folder does not exist. */
  lstatSync(folder: string): FolderStats;
  statSync(path: string, options: { readonly throwIfNoEntry: false }): FileStats | undefined;
  /** The names in the folder. */
  readdirSync(folder: string): string[];
  readFileSync(path: string, encoding: 'latin1'): string;
  /** Creates the file if it is missing. */
  appendFileSync(path: string, text: string, options: { readonly mode: number }): void;
  /** Creates a file, and returns its descriptor. Throws EEXIST if it exists. */
  openSync(path: string, flags: 'wx', mode: number): number;
  /** Writes at the position, or at the start of a new file. Returns the number of bytes written. */
  writeSync(file: number, text: string, position?: number, encoding?: 'latin1'): number;
  closeSync(file: number): void;
  /** Throws ENOENT if the file does not exist. */
  unlinkSync(path: string): void;
  /** Does not throw if the file does not exist. */
  rmSync(path: string, options: { readonly force: true }): void;
}
