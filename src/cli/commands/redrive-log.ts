/** Sends the bodies of a messages log to a queue. */
import { openExisting } from '../../queues/open-existing.ts';
import { sendAll } from '../../queues/sending.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Place } from '../place.ts';
import { Progress } from '../progress.ts';
import { print, printJson } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { COMMAND, countOf } from '../values.ts';
import { readMessagesLog } from './messages-log.ts';
import type { Redrive } from './redrive.ts';

interface RedriveLog extends Redrive {
  readonly from: string;
}

export async function redriveLog(given: RedriveLog, place: Place): Promise<ExitCode> {
  const { from, filter, limit, isDryRun } = given;
  const [to, ...others] = given.to === undefined ? place.handled : [place.fullName(given.to)];
  if (to === undefined || others.length > 0) {
    throw new UsageError(COMMAND, 'Say which queue gets the messages: --to QUEUE.');
  }
  const { text = '' } = filter;
  // By the number of their lines, for those who have to look for one that is refused.
  const wanted = [...readMessagesLog(from).entries()]
    .filter(([, body]) => body.includes(text))
    .slice(0, limit);
  const broker = await place.broker();
  const queue = await openExisting(broker, to);
  if (isDryRun) {
    if (place.json) printJson({ to, moved: 0, wouldMove: wanted.length });
    else print(`${countOf(wanted.length, 'message')} of ${from} would be sent to ${to}`);
    return exitCodes.done;
  }
  const progress = new Progress();
  progress.show(wanted.length);
  const messages = wanted.map(([, body]) => ({ body }));
  const { sent, failed } = await sendAll(broker, queue.name, messages, (done) =>
    progress.show(wanted.length - done),
  ).finally(() => progress.end());
  for (const { position, error } of failed) {
    const line = (wanted[position - 1]?.[0] ?? 0) + 1;
    process.stderr.write(`Message ${line} of ${from}: ${error.message}\n`);
  }
  if (place.json) printJson({ to, moved: sent.length, failed: failed.length });
  else print(`Sent ${sent.length} of ${countOf(wanted.length, 'message')} of ${from} to ${to}`);
  return failed.length > 0 ? exitCodes.unavailable : exitCodes.done;
}
