/** Stands in for systemd: listens on a socket for notifications. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually, putOff } from '../../support/executable.ts';

export interface Listener {
  /** The datagrams, in order. */
  readonly received: string[];
  /** Resolves when a matching datagram has arrived. */
  gets(pattern: RegExp): Promise<void>;
}

/** Listens at a path or an abstract name (`@name`), until `cleanUp`. */
export async function listenAt(path: string): Promise<Listener> {
  const program = join(import.meta.dirname, 'datagram-listener.ts');
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  putOff(() => {
    child.kill('SIGKILL');
    return closed;
  });
  const received: string[] = [];
  const lines = createInterface(child.stdout);
  await once(lines, 'line');
  lines.on('line', (line) => received.push(JSON.parse(line)));
  return {
    received,
    gets: (pattern) => eventually(() => received.some((text) => pattern.test(text))),
  };
}
