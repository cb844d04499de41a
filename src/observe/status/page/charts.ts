/** The charts of the last hour. Each has a table of its values: a legend, and a replacement for screen readers. */
import uPlot from 'uplot';
import type { Point } from '../history.ts';
import { find, make, setRows, setText } from './elements.ts';
import { duration, number, short, time } from './format.ts';
import type { Points } from './points.ts';

interface Line {
  readonly label: string;
  readonly values: (points: Points) => (number | null)[];
  /** A custom property of the style sheet. */
  readonly color: string;
  readonly dashed?: boolean;
}

interface ChartKind {
  readonly title: string;
  readonly lines: (queues: readonly string[]) => Line[];
  readonly show: (value: number) => string;
  /** The axis goes up to at least this value. */
  readonly top: number;
}

const COLORS = 6;
const HEIGHT = 160;

const KINDS: readonly ChartKind[] = [
  {
    title: 'Handled and failed per second',
    lines: (queues) => [
      ...queues.map((name, index) => ({
        label: name,
        values: column(name, 'handled'),
        color: series(index),
      })),
      { label: 'failed', values: (points) => totals(points, queues, 'failed'), color: '--bad' },
    ],
    show: (value) => number(value),
    top: 1,
  },
  {
    title: 'Waiting messages',
    lines: (queues) =>
      queues.map((name, index) => ({ label: name, values: column(name, 'visible'), color: series(index) })),
    show: (value) => short(value),
    top: 5,
  },
  {
    title: 'Handling time, median and 99%',
    lines: (queues) =>
      queues.flatMap((name, index) => [
        { label: `${name}, 99%`, values: column(name, 'p99'), color: series(index) },
        { label: `${name}, median`, values: column(name, 'median'), color: series(index), dashed: true },
      ]),
    show: (value) => (value === 0 ? '0' : duration(value)),
    top: 0.01,
  },
  {
    title: 'Slots busy',
    lines: (queues) =>
      queues.map((name, index) => ({ label: name, values: column(name, 'running'), color: series(index) })),
    show: (value) => number(value),
    top: 1,
  },
];

/** All charts. They are redrawn when the queues or the system's color scheme change. */
export class Charts {
  #charts: Chart[] = [];
  #drawn = '';

  /** Shows points. `queues`: the names of the queues that the container handles. */
  show(points: Points, queues: readonly string[]): void {
    const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
    const wanted = JSON.stringify([isDark, queues]);
    if (wanted !== this.#drawn) {
      this.#drawn = wanted;
      for (const chart of this.#charts) chart.remove();
      this.#charts = KINDS.map((kind) => new Chart(kind, kind.lines(queues)));
    }
    for (const chart of this.#charts) chart.show(points);
  }
}

class Chart {
  readonly #kind: ChartKind;
  readonly #lines: readonly Line[];
  /** The time of the values: now, or the time at the cursor. */
  readonly #at = header('Now');
  readonly #table = make('table');
  readonly #figure: HTMLElement;
  readonly #plot: uPlot;
  readonly #resizing: ResizeObserver;
  #points: Points | undefined;

  constructor(kind: ChartKind, lines: readonly Line[]) {
    this.#kind = kind;
    this.#lines = lines;
    const area = make('div', 'plot');
    area.ariaHidden = 'true';
    this.#table.ariaLabel = kind.title;
    this.#table.append(make('thead', '', make('tr', '', header(''), this.#at, header('Max'))), make('tbody'));
    this.#figure = make('figure', '', make('figcaption', '', kind.title), area, this.#table);
    find('charts').append(this.#figure);
    this.#plot = new uPlot(this.#options(area.clientWidth), [[], ...lines.map(() => [])], area);
    this.#resizing = new ResizeObserver(() =>
      this.#plot.setSize({ width: area.clientWidth, height: HEIGHT }),
    );
    this.#resizing.observe(area);
  }

  show(points: Points): void {
    this.#points = points;
    this.#plot.setData([points.at, ...this.#lines.map(({ values }) => values(points))]);
    this.#showValues();
  }

  remove(): void {
    this.#resizing.disconnect();
    this.#plot.destroy();
    this.#figure.remove();
  }

  /** Shows the values at the cursor, or the last values. */
  #showValues(): void {
    const points = this.#points;
    if (!points) return;
    const { idx } = this.#plot.cursor;
    const index = idx ?? points.at.length - 1;
    const at = points.at[index];
    setText(this.#at, idx == null || at === undefined ? 'Now' : time(at * 1000, Date.now()));
    setRows(
      this.#table,
      this.#lines.map(({ label, values, color, dashed = false }) => {
        const all = values(points);
        const value = all[index];
        const most = all.reduce<number>((top, each) => Math.max(top, each ?? 0), 0);
        return {
          key: label,
          cells: [
            { text: label },
            { text: value == null ? '–' : this.#kind.show(value) },
            { text: this.#kind.show(most), className: 'zero' },
          ],
          swatch: { color, dashed },
        };
      }),
    );
  }

  #options(width: number): uPlot.Options {
    const { show, top } = this.#kind;
    const faint = colorOf('--faint');
    const line = colorOf('--line');
    const axis = {
      stroke: faint,
      font: '11px system-ui, sans-serif',
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
    };
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { sync: { key: 'charts' }, drag: { x: false, y: false }, points: { size: 6 }, y: false },
      scales: {
        x: { range: (_plot, min, max) => (max > min ? [min, max] : minuteBefore(max)) },
        y: { range: (_plot, _min, max) => [0, Math.max(max ?? 0, top) * 1.08] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 24, space: 80, values: (plot, times) => clocks(plot, times) },
        { ...axis, size: 56, space: 32, values: (_plot, values) => values.map((value) => show(value)) },
      ],
      series: [
        {},
        ...this.#lines.map(({ color, dashed = false }) => ({
          stroke: colorOf(color),
          width: 1.5,
          ...(dashed && { dash: [2, 3] }),
          points: { show: false },
        })),
      ],
      hooks: { setCursor: [() => this.#showValues()] },
    };
  }
}

/** The range of the axis while there are too few points for a line; null: no points. */
function minuteBefore(end: number | null): [number, number] {
  const to = end ?? Date.now() / 1000;
  return [to - 60, to];
}

function header(text: string): HTMLTableCellElement {
  return Object.assign(make('th', '', text), { scope: 'col' });
}

function column(name: string, key: keyof Point): Line['values'] {
  return ({ at, queues }) => queues[name]?.[key] ?? at.map(() => null);
}

function totals({ at, queues }: Points, names: readonly string[], key: keyof Point): number[] {
  return at.map((_, index) => names.reduce((sum, name) => sum + (queues[name]?.[key][index] ?? 0), 0));
}

function series(index: number): string {
  return `--series-${(index % COLORS) + 1}`;
}

function colorOf(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}

/** `14:05`, or `14:05:30` for a short time range. */
function clocks({ data: [at] }: uPlot, times: readonly number[]): string[] {
  const isShort = (at.at(-1) ?? 0) - (at[0] ?? 0) < 10 * 60;
  return times.map((time) =>
    new Date(time * 1000).toLocaleTimeString('en-GB', { timeStyle: isShort ? 'medium' : 'short' }),
  );
}
