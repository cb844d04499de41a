/** Converts errors from SQLite and the file system to BrokerErrors. */
import { BrokerError } from '../../errors.ts';

/** SQLite's primary result codes: https://sqlite.org/rescode.html */
const BUSY = 5;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** Whether another connection holds a lock that the statement needs: it changed nothing and can be retried. */
export function isLocked(error: unknown): boolean {
  return resultCode(error) === BUSY;
}

/** Converts an error from opening or using the file at `path` to a BrokerError that says what to do. */
export function sqliteFailure(path: string, error: unknown): BrokerError {
  const cause = { cause: error };
  switch (resultCode(error)) {
    case BUSY:
      return new BrokerError(
        'unreachable',
        `The queue file ${path} is locked: another process has been writing to it for too long. If this continues after retries, find that process: lsof ${path}`,
        cause,
      );
    case FULL:
      return new BrokerError(
        'unreachable',
        `The queue file ${path} cannot grow: the disk is full. Free up space, or move the file.`,
        cause,
      );
    case READONLY:
      return new BrokerError(
        'setup',
        `The queue file ${path} is read-only for this user. Grant the user write permission for the file and its folder, or choose another path.`,
        cause,
      );
    case CANTOPEN:
      return new BrokerError(
        'setup',
        `The queue file ${path} cannot be opened. It must be a file that this user can read and write, in a folder where the user can create files.`,
        cause,
      );
    case NOTADB:
      return new BrokerError(
        'setup',
        `The file ${path} is not a SQLite database. Choose another path for the queues.`,
        cause,
      );
    case CORRUPT:
      return new BrokerError(
        'setup',
        `The queue file ${path} is corrupt. Recover readable data (sqlite3 ${path} .recover), and start with a new file.`,
        cause,
      );
    default:
      return new BrokerError(
        'unreachable',
        `The queue file ${path} failed: ${error instanceof Error ? error.message : String(error)}`,
        cause,
      );
  }
}

function resultCode(error: unknown): number | undefined {
  const { errcode } = Object(error) as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}
