/** Reads the bodies that a messages log kept. */
import { readFileSync } from 'node:fs';
import { decodeLine } from '../../message/messages-log.ts';
import { UsageError } from '../usage-error.ts';
import { COMMAND } from '../values.ts';

/** The bodies of a messages log, one a line; `-` is standard input. Throws UsageError. */
export function readMessagesLog(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError(COMMAND, `Cannot read ${file}: ${(error as Error).message}`);
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(decodeLine);
}
