/** Makes BrokerErrors of what SQLite and the file system throw. */
import { BrokerError } from '../../errors.ts';

/** SQLite's result codes, without what extends them: https://sqlite.org/rescode.html */
const BUSY = 5;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** Whether another connection holds a lock that this statement needs: it has changed nothing and can be repeated. */
export function isLocked(error: unknown): boolean {
  return resultCode(error) === BUSY;
}

/** A BrokerError with the path and what to do, for an error that opening or using the file at `path` threw. */
export function sqliteFailure(path: string, error: unknown): BrokerError {
  const cause = { cause: error };
  switch (resultCode(error)) {
    case BUSY:
      return new BrokerError(
        'unreachable',
        `The queue file ${path} is locked: another process has been writing to it for too long. It is tried again; if this goes on, find that process: lsof ${path}`,
        cause,
      );
    case FULL:
      return new BrokerError(
        'unreachable',
        `The queue file ${path} cannot grow: the disk is full. Make room, or move the file.`,
        cause,
      );
    case READONLY:
      return new BrokerError(
        'setup',
        `The queue file ${path} is read-only for this user. Give the user the right to write to the file and to its folder, or choose another path.`,
        cause,
      );
    case CANTOPEN:
      return new BrokerError(
        'setup',
        `The queue file ${path} cannot be opened. It must be a file that this user may read and write, in a folder where the user may make files.`,
        cause,
      );
    case NOTADB:
      return new BrokerError(
        'setup',
        `The file ${path} is no SQLite database. Choose another path for the queues.`,
        cause,
      );
    case CORRUPT:
      return new BrokerError(
        'setup',
        `The queue file ${path} is damaged. Save what can be read of it (sqlite3 ${path} .recover), and start with a new file.`,
        cause,
      );
    default:
      return new BrokerError(
        'unreachable',
        `The queue file ${path} does not work: ${error instanceof Error ? error.message : String(error)}`,
        cause,
      );
  }
}

function resultCode(error: unknown): number | undefined {
  const { errcode } = Object(error) as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}
