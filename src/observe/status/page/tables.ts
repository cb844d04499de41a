/** The tables of the page: queues, processes, and API calls with what they cost. */
import type { QueueStatus, Status } from '../status.ts';
import { type Cell, find, setRows, setText } from './elements.ts';
import { bytes, dollars, duration, number, short } from './format.ts';

const NONE: Cell = { text: '–', className: 'zero' };

export function showQueues({ queues }: Status): void {
  const shown = queues.filter(({ role }) => role !== 'other');
  setRows(
    find('queues'),
    shown.map((queue) => ({
      key: queue.name,
      cells: [
        { text: queue.name },
        ...(queue.role === 'worked' ? workedCells(queue) : deadLetterCells(queue)),
      ],
      note: noteOf(queue),
    })),
  );
}

function noteOf({ role, failing, messages }: QueueStatus) {
  if (failing) return { text: 'receives fail', className: 'bad' };
  if (role !== 'dead_letter') return undefined;
  return { text: 'dead letters', className: messages && messages.visible > 0 ? 'bad' : '' };
}

function workedCells({ messages, rates, running, handling, age }: QueueStatus): Cell[] {
  const failed = Math.round(rates.failed * 60);
  return [
    count(messages?.visible),
    { text: `${number(rates.handled)}/s`, ...(rates.handled === 0 && { className: 'zero' }) },
    failed > 0 ? { text: `${short(failed)}/min`, className: 'bad' } : { text: '0/min', className: 'zero' },
    count(running),
    took(handling?.median),
    took(handling?.p99),
    took(age?.median),
    count(messages?.inFlight),
    count(messages?.delayed),
  ];
}

function deadLetterCells({ messages }: QueueStatus): Cell[] {
  const here = new Array<Cell>(6).fill(NONE);
  return [count(messages?.visible), ...here, count(messages?.inFlight), count(messages?.delayed)];
}

function count(messages: number | undefined): Cell {
  if (messages === undefined) return NONE;
  return { text: short(messages), ...(messages === 0 && { className: 'zero' }) };
}

function took(seconds: number | undefined): Cell {
  return seconds === undefined ? NONE : { text: duration(seconds) };
}

export function showProcesses({ at, processes }: Status): void {
  setRows(
    find('processes'),
    processes.map(({ number: place, pid, state, memoryBytes, held, running, startedAt }) => ({
      key: String(pid),
      cells: [
        { text: String(place) },
        { text: state },
        memoryBytes === null ? NONE : { text: bytes(memoryBytes) },
        count(held),
        count(running),
        { text: duration(Math.max(1, (at - startedAt) / 1000)) },
      ],
      note: { text: `pid ${pid}` },
    })),
  );
}

export function showCost({ queues, cost }: Status): void {
  const calls = new Map<string, number>();
  for (const { requests } of queues) {
    for (const [action, times] of Object.entries(requests))
      calls.set(action, (calls.get(action) ?? 0) + times);
  }
  const all = [...calls.values()].reduce((sum, times) => sum + times, 0);
  setRows(
    find('calls'),
    [...calls]
      .sort(([, one], [, other]) => other - one)
      .map(([action, times]) => ({
        key: action,
        cells: [{ text: action }, { text: number(times) }, { text: `${Math.round((times / all) * 100)} %` }],
      })),
  );
  setText(find('cost'), costText(cost));
}

function costText({
  isOnSqs,
  requestsPerMessage,
  perMillionMessages,
  perMonth,
  pricesOf,
}: Status['cost']): string {
  const perMessage =
    requestsPerMessage === null || perMillionMessages === null
      ? 'No message yet.'
      : `${number(requestsPerMessage)} billed requests a message, ${dollars(perMillionMessages)} per million messages.`;
  const verb = isOnSqs ? 'At the rate of the last minute' : 'On SQS, at the rate of the last minute,';
  return `${perMessage} ${verb} ${isOnSqs ? 'a month costs' : 'a month would cost'} ${dollars(perMonth)}, with the first million requests free (prices of us-east-1, ${pricesOf}).`;
}
