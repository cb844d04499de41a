/** The figures at the top: what an operator wants to see first. */
import type { Status } from '../status.ts';
import { find, make, setClass, setText } from './elements.ts';
import { dollars, duration, number, short } from './format.ts';

interface Figure {
  readonly title: string;
  readonly value: string;
  readonly unit: string;
  readonly isBad?: boolean;
}

export function showFigures(status: Status): void {
  const list = find('figures');
  for (const [index, { title, value, unit, isBad = false }] of figuresOf(status).entries()) {
    const figure = list.children[index] ?? list.appendChild(newFigure());
    const [term, definition] = figure.children;
    const [amount, behind] = definition!.children;
    setText(term!, title);
    setText(amount!, value);
    setText(behind!, unit && ` ${unit}`);
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
      unit: known.length === 0 ? 'not known' : 'messages',
    },
    { title: 'Handled', value: number(sum(({ rates }) => rates.handled)), unit: 'a second' },
    {
      title: 'Failed',
      value: short(Math.round(failed)),
      unit: 'a minute',
      isBad: failed >= 0.5,
    },
    {
      title: 'Handling time, 99 %',
      value: Number.isFinite(slowest) ? duration(slowest) : '–',
      unit: Number.isFinite(slowest) ? '' : 'nothing handled',
    },
    { title: 'Slots busy', value: number(container.running), unit: `of ${number(container.slots)}` },
    {
      title: cost.isOnSqs ? 'Cost at this rate' : 'On SQS this would cost',
      value: dollars(cost.perMonth),
      unit: 'a month',
    },
  ];
}
