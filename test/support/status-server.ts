// Containers with a status server, for specs.
import { request } from 'node:http';
import type { Status } from '../../src/observe/status/status.ts';
import { type Executable, folderWith, start } from './executable.ts';
import { settings } from './executable-brokers.ts';

export const TOKEN = '0123456789abcdef0123';

/** All return immediately except `patient`, which works until the spec creates the file 'finish'. */
const WORKER = `
  import { existsSync } from 'node:fs';
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  export const quick = () => async (number) => {
    await pause(20);
    if (number === 'bad') throw new TypeError('<img src=x onerror=alert(1)> no such user');
    if (number === 'end') process.kill(process.pid, 'SIGKILL');
    console.log('did', number);
  };
  export const patient = () => async (number) => {
    console.log('began', number);
    while (!existsSync('finish')) await pause(10);
  };
`;

export interface StatusContainer {
  readonly container: Executable;
  readonly folder: string;
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
}

/** A folder for a container whose status server listens on any port; `more` is added to [container]. */
export function statusFolder(exported: string, more = '', listen = '127.0.0.1:0'): string {
  const http = `[http]\nlisten = ${listen}\ntoken_file = token\n`;
  return folderWith({
    'worker.ini': settings(exported, `${more}\n${http}`),
    'worker.mjs': WORKER,
    token: `${TOKEN}\n`,
  });
}

/** Starts a container in that folder, and waits until it is connected. */
export async function startWithStatus(
  folder: string,
  kind: 'sequential' | 'concurrent' = 'sequential',
): Promise<StatusContainer> {
  const container = start(kind, ['worker.ini'], { folder });
  await container.prints(/Connected/);
  const [, url = ''] = /Status page: (http\S+)/.exec(container.stderr) ?? [];
  return { container, folder, url };
}

export function post(url: string, action: 'pause' | 'resume' | 'wake', token = TOKEN): Promise<Response> {
  return fetch(`${url}${action}`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
}

export async function statusAt(url: string): Promise<Status> {
  return (await (await fetch(`${url}status.json`)).json()) as Status;
}

/** Sends a request to a Unix socket; resolves to the text of the response. */
export function getOnSocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}
