/** The status page: listens to the server's events and shows them. */
import type { StatusEvent } from '../app.ts';
import type { Status } from '../status.ts';
import { Charts } from './charts.ts';
import { find, make, setText } from './elements.ts';
import { duration } from './format.ts';
import { addPoints, noPoints } from './points.ts';
import { showCost, showFailures, showFigures, showProcesses, showQueues } from './sections.ts';

/** Events arrive every second. After this long without an event, the connection is lost, in milliseconds. */
const LOST_MS = 4_000;
const AGAIN_MS = 2_000;

const STATES: Readonly<Record<Status['container']['state'], string>> = {
  starting: 'Starting',
  running: 'Running',
  paused: 'Paused: not receiving',
  draining: 'Draining',
};

const charts = new Charts();
const points = noPoints();
let last: Status | undefined;
let lastAt = performance.now();

function listen(): void {
  const events = new EventSource('/events');
  events.onmessage = ({ data }: MessageEvent<string>) => show(JSON.parse(data) as StatusEvent);
  events.onerror = () => {
    // EventSource reconnects on its own, unless the server refused the connection.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
  };
}

function show({ status, points: more }: StatusEvent): void {
  last = status;
  lastAt = performance.now();
  const hasMore = addPoints(points, more);
  const names = status.queues.filter(({ role }) => role === 'worked').map(({ name }) => name);
  showHead(status);
  showTroubles(status);
  showFigures(status);
  showQueues(status);
  if (hasMore || points.at.length === 0) charts.show(points, names);
  showFailures(status);
  showProcesses(status);
  showCost(status);
}

function showHead({ at, container, problems, queues }: Status): void {
  const { program, file, version, broker, state, startedAt } = container;
  delete document.body.dataset.lost;
  const isFailing = queues.some(({ failing }) => failing);
  if (problems.length > 0) setState('problem', 'Unhealthy');
  else if (isFailing && state === 'running') setState('problem', 'Receives failing');
  else setState(state, STATES[state]);
  setText(find('program'), program);
  setText(find('file'), file);
  setText(
    find('about'),
    [broker, `up ${duration(Math.max(1, (at - startedAt) / 1000))}`].filter(Boolean).join(' · '),
  );
  setText(find('version'), `sqs-containers ${version}`);
  document.title = `${file}: ${STATES[state].toLowerCase()}`;
}

function setState(state: string, text: string): void {
  const element = find('state');
  element.dataset.state = state;
  setText(element, text);
}

function showTroubles({ container, problems }: Status): void {
  const { countsProblem } = container;
  const troubles = [
    ...problems,
    ...(countsProblem === null ? [] : [`The message counts of the queues are unknown: ${countsProblem}`]),
  ];
  const section = find('troubles');
  section.hidden = troubles.length === 0;
  const list = section.querySelector('ul')!;
  if (list.textContent === troubles.join('')) return;
  list.replaceChildren(...troubles.map((text) => make('li', '', text)));
}

setInterval(() => {
  const silentMs = performance.now() - lastAt;
  if (silentMs < LOST_MS) return;
  document.body.dataset.lost = '';
  const since = new Date(Date.now() - silentMs).toLocaleTimeString('en-GB');
  setState('lost', last ? `Connection lost, as of ${since}` : 'No connection');
}, 1_000);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  if (last)
    charts.show(
      points,
      last.queues.filter(({ role }) => role === 'worked').map(({ name }) => name),
    );
});
// Scrollable regions can be scrolled with the keyboard.
for (const region of document.querySelectorAll<HTMLElement>('.scroll')) region.tabIndex = 0;
listen();
