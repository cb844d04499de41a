/** A status as plain text, for terminals and for what reads lines (django-sqs). */
import { printable } from '../../message/printable.ts';
import type { QueueStatus, Spread, Status } from './status.ts';

/**
 * What `/status` answers: a line for the container, one for each queue and process, and what is wrong.
 *
 *     sqs-sequential worker.ini: running since 2026-11-21T10:00:00.000Z, 1 of 1 slots busy, 3 held
 *     queue adder: 12 visible, 3 in flight, 0 delayed; 4.2/s handled, 0/s failed; takes 5 ms, 99% within 20 ms
 */
export function statusText({ container, queues, processes, problems, failures }: Status): string {
  const { program, file, state, startedAt, slots, running, held, countsProblem } = container;
  return [
    `${program} ${file}: ${state} since ${new Date(startedAt).toISOString()}, ${running} of ${slots} slots busy, ${held} held`,
    ...queues.filter(({ role }) => role !== 'other').map(queueLine),
    ...processes.map(
      ({ number, pid, state, memoryBytes, held }) =>
        `process ${number}: pid ${pid}, ${state}, ${memoryBytes === null ? 'memory unknown' : `${Math.round(memoryBytes / 2 ** 20)} MB`}, ${held} held`,
    ),
    ...problems.map((problem) => `problem: ${problem}`),
    ...(countsProblem === null
      ? []
      : [`problem: the messages in the queues are not known: ${oneLine(countsProblem)}`]),
    ...failures.map(
      ({ at, queue, messageId, outcome, error }) =>
        `failure: ${new Date(at).toISOString()} ${queue} ${printable(messageId)} ${outcome}: ${oneLine(error)}`,
    ),
    '',
  ].join('\n');
}

function queueLine({ name, role, messages, rates, handling, age, failing }: QueueStatus): string {
  const counts = messages
    ? `${messages.visible} visible, ${messages.inFlight} in flight, ${messages.delayed} delayed`
    : 'messages unknown';
  if (role === 'dead_letter') return `dead-letter queue ${name}: ${counts}`;
  return [
    `queue ${name}: ${counts}`,
    `${short(rates.handled)}/s handled, ${short(rates.failed)}/s failed`,
    ...spread('takes', handling),
    ...spread('aged', age),
    ...(failing ? ['RECEIVES FAIL'] : []),
  ].join('; ');
}

function spread(verb: string, durations: Spread | null): string[] {
  return durations ? [`${verb} ${duration(durations.median)}, 99% within ${duration(durations.p99)}`] : [];
}

/** `5 ms`, `1.2 s`: two digits of a duration in seconds. */
function duration(seconds: number): string {
  return seconds < 1 ? `${short(seconds * 1000)} ms` : `${short(seconds)} s`;
}

function short(value: number): string {
  return String(value >= 10 ? Math.round(value) : Number(value.toPrecision(2)));
}

function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' '));
}
