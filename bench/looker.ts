/** A process that looks at a status server on a Unix socket: has its page open, and asks for the metrics every second. */
import { request } from 'node:http';

/** Prometheus does it every 15 s or more. */
const SCRAPE_MS = 1_000;
const [, , socketPath = ''] = process.argv;

function ask(path: string): void {
  request({ socketPath, path }, (answer) => answer.resume())
    .on('error', () => {})
    .end();
}

setTimeout(() => ask('/events'), SCRAPE_MS);
setInterval(() => ask('/metrics'), SCRAPE_MS);
