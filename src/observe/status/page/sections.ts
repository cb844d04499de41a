/**
 * The sections of the page other than the charts: key figures for operators; tables of queues, processes and API calls,
 * with their cost; and the last failures, one line each, which expands to the full error and the body.
 */
import type { Failure } from '../../metrics/snapshot.ts';
import type { QueueStatus, Status } from '../status.ts';
import { type Cell, find, make, setClass, setRows, setText } from './elements.ts';
import { bytes, dollars, duration, number, short, time } from './format.ts';

interface Figure {
  readonly title: string;
  readonly value: string;
  readonly unit: string;
  readonly isBad?: boolean;
}

const NONE: Cell = { text: '–', className: 'zero' };

const OUTCOMES: Readonly<Record<Failure['outcome'], string>> = {
  handled: 'handled',
  dropped: 'deleted',
  retried: 'retried',
  buried: 'dead letter',
};

export function showFigures(status: Status): void {
  const list = find('figures');
  for (const [index, { title, value, unit, isBad = false }] of figuresOf(status).entries()) {
    const figure = list.children[index] ?? list.appendChild(newFigure());
    const [term, definition] = figure.children;
    const [amount, after] = definition!.children;
    setText(term!, title);
    setText(amount!, value);
    setText(after!, unit && ` ${unit}`);
    setClass(amount!, isBad ? 'bad' : '');
  }
}

function newFigure(): HTMLElement {
  return make('div', '', make('dt'), make('dd', '', make('span'), make('span', 'unit')));
}

function figuresOf({ container, queues, cost }: Status): Figure[] {
  const worked = queues.filter(({ role }) => role === 'worked');
  const sum = (of: (queue: (typeof worked)[number]) => number) =>
    worked.reduce((total, queue) => total + of(queue), 0);
  const known = worked.filter(({ messages }) => messages !== null);
  const failed = sum(({ rates }) => rates.failed) * 60;
  const slowest = Math.max(...worked.map(({ handling }) => handling?.p99 ?? Number.NEGATIVE_INFINITY));
  return [
    {
      title: 'Waiting',
      value: known.length === 0 ? '–' : short(sum(({ messages }) => messages?.visible ?? 0)),
      unit: known.length === 0 ? 'unknown' : 'messages',
    },
    { title: 'Handled', value: number(sum(({ rates }) => rates.handled)), unit: 'per second' },
    {
      title: 'Failed',
      value: short(Math.round(failed)),
      unit: 'per minute',
      isBad: failed >= 0.5,
    },
    {
      title: 'Handling time, 99%',
      value: Number.isFinite(slowest) ? duration(slowest) : '–',
      unit: Number.isFinite(slowest) ? '' : 'nothing handled',
    },
    { title: 'Slots busy', value: number(container.running), unit: `of ${number(container.slots)}` },
    {
      title: cost.isOnSqs ? 'Cost at this rate' : 'Cost on SQS at this rate',
      value: dollars(cost.perMonth),
      unit: 'per month',
    },
  ];
}

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
  if (failing) return { text: 'receives failing', className: 'bad' };
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
        cells: [{ text: action }, { text: number(times) }, { text: `${Math.round((times / all) * 100)}%` }],
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
      ? 'No messages yet.'
      : `${number(requestsPerMessage)} billed requests per message, ${dollars(perMillionMessages)} per million messages.`;
  const perMonthText = isOnSqs
    ? 'At the rate of the last minute a month costs'
    : 'On SQS, at the rate of the last minute, a month would cost';
  return `${perMessage} ${perMonthText} ${dollars(perMonth)}, with the first million requests free (prices of us-east-1, ${pricesOf}).`;
}

export function showFailures({ at, failures }: Status): void {
  const list = find('failures');
  const known = new Map([...list.children].map((item) => [(item as HTMLElement).dataset.key, item]));
  for (const [index, failure] of failures.entries()) {
    const key = `${failure.at} ${failure.messageId} ${failure.receiveCount}`;
    const item = known.get(key) ?? newItem(key, failure, at);
    known.delete(key);
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  }
  for (const item of known.values()) item.remove();
  find('no-failures').hidden = failures.length > 0;
}

function newItem(key: string, failure: Failure, now: number): HTMLElement {
  const { at, queue, messageId, receiveCount, error, body, outcome } = failure;
  const item = make(
    'li',
    '',
    make(
      'details',
      '',
      make(
        'summary',
        '',
        make('span', 'when', time(at, now)),
        make('span', 'queue', queue),
        make('span', 'error', error),
        make('span', 'outcome', OUTCOMES[outcome]),
      ),
      make(
        'p',
        '',
        `Message ${messageId}, received ${receiveCount === 1 ? 'once' : `${receiveCount} times`}. Body:`,
      ),
      make('pre', '', body),
    ),
  );
  item.dataset.key = key;
  return item;
}
