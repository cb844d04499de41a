/** The points of the last hour that the page has: those of the first event, and what came after. */
import type { Columns, Point } from '../history.ts';

export interface Points {
  /** Seconds since the epoch, as charts take them. */
  at: number[];
  /** By name of the queue, and by what is charted; as long as `at`. */
  queues: Record<string, Record<keyof Point, (number | null)[]>>;
}

/** As many as the server has. */
const MOST = 720;
const KEYS = ['visible', 'inFlight', 'handled', 'failed', 'median', 'p99', 'running'] as const;

export function noPoints(): Points {
  return { at: [], queues: {} };
}

/** Adds what is new of some columns; true if there was something. */
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
  const over = points.at.length - MOST;
  if (over > 0) {
    points.at.splice(0, over);
    for (const queue of Object.values(points.queues)) for (const key of KEYS) queue[key].splice(0, over);
  }
  return true;
}

/** A queue that is new has no points until now. */
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
