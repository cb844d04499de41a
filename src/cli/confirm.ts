/** Asks before something that cannot be undone. */

import { ask, canAsk } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { COMMAND } from './values.ts';

export interface Confirmation {
  readonly warning: string;
  readonly question: string;
  /** What to say when the answer is no. */
  readonly otherwise: string;
}

/**
 * Whether to go on: true with --yes; on a terminal, what the answer is. Throws UsageError
 * where nobody can be asked.
 */
export async function confirm(
  { warning, question, otherwise }: Confirmation,
  yes: boolean,
): Promise<boolean> {
  if (yes) return true;
  if (!canAsk()) throw new UsageError(COMMAND, `${warning} There is no terminal to ask on: say --yes.`);
  if (await ask(`${warning}\n${question}`)) return true;
  process.stderr.write(`${otherwise}\n`);
  return false;
}
