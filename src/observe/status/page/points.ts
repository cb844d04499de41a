/** The page's points of the last hour: from the first event, and from later ones. */
import { type Columns, type Point, STEPS } from '../history.ts';

export interface Points {
  /** Seconds since the epoch, as the charts need them. */
  at: number[];
  /** By queue name and charted value; each as long as `at`. */
  queues: Record<string, Record<keyof Point, (number | null)[]>>;
}

const KEYS = ['visible', 'inFlight', 'handled', 'failed', 'median', 'p99', 'running'] as const;

export function noPoints(): Points {
  return { at: [], queues: {} };
}

/** Adds the new points from some columns; true if there were any. */
export function addPoints(points: Points, { at, queues }: Columns): boolean {
  const last = points.at.at(-1) ?? 0;
  const from = at.findIndex((time) => time / 1000 > last);
  if (from < 0) return false;
  const had = points.at.length;
  points.at.push(...at.slice(from).map((time) => time / 1000));
  for (const name of new Set([...Object.keys(points.queues), ...Object.keys(queues)])) {
    const known = queueOf(points, name, had);
    for (const key of KEYS) known[key].push(...(queues[name]?.[key] ?? gap(at.length)).slice(from));
  }
  const over = points.at.length - STEPS;
  if (over > 0) {
    points.at.splice(0, over);
    for (const queue of Object.values(points.queues)) for (const key of KEYS) queue[key].splice(0, over);
  }
  return true;
}

/** The points of a queue; a new queue gets a gap until now. */
function queueOf(points: Points, name: string, had: number): Points['queues'][string] {
  let queue = points.queues[name];
  if (!queue) {
    queue = Object.fromEntries(KEYS.map((key) => [key, gap(had)])) as Points['queues'][string];
    points.queues[name] = queue;
  }
  return queue;
}

function gap(length: number): null[] {
  return new Array<null>(length).fill(null);
}
