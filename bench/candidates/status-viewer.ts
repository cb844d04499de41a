/** A process that views a status server on a Unix socket: keeps its page open and requests the metrics every five seconds. */
import { request } from 'node:http';

const FIRST_VIEW_MS = 1_000;
/** Prometheus usually scrapes every 15 s or less often. */
const SCRAPE_MS = 5_000;
const [, , socketPath = ''] = process.argv;

function ask(path: string): void {
  request({ socketPath, path }, (answer) => answer.resume())
    .on('error', () => {})
    .end();
}

setTimeout(() => {
  ask('/events');
  ask('/metrics');
  setInterval(() => ask('/metrics'), SCRAPE_MS);
}, FIRST_VIEW_MS);
