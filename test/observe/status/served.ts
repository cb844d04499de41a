// A status server on a real socket, for a container whose state a spec controls.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStatusServer, type StatusServer } from '../../../src/observe/status/server.ts';
import { FACTS, FakeContainer, WAIT_SECONDS } from './fake-container.ts';

export const TOKEN = '0123456789abcdef';

/** A connection to the server, and its response so far. */
export interface Connection {
  readonly socket: Socket;
  readonly answer: () => string;
}

export class ServedContainer {
  readonly container = new FakeContainer();
  /** The errors that the server reports. */
  readonly errors: Error[] = [];
  /** Contains the token file. */
  readonly folder = mkdtempSync(join(tmpdir(), 'status-'));
  readonly #sockets = new Set<Socket>();
  #server!: StatusServer;

  /** Opens the server on any port. */
  static async open(): Promise<ServedContainer> {
    const served = new ServedContainer();
    writeFileSync(join(served.folder, 'token'), `${TOKEN}\n`);
    served.#server = await served.openAt('127.0.0.1:0');
    return served;
  }

  /** Opens another server, which is not closed with the first one. */
  openAt(listen: string): Promise<StatusServer> {
    return openStatusServer({
      source: this.container,
      facts: FACTS,
      waitSeconds: WAIT_SECONDS,
      listen,
      tokenFile: join(this.folder, 'token'),
      onError: (error) => this.errors.push(error),
    });
  }

  connect(): Connection {
    const socket = connect(Number(new URL(this.#server.address).port), '127.0.0.1');
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    let answer = '';
    socket.setEncoding('latin1').on('data', (data: string) => {
      answer += data;
    });
    // The server may close it first.
    socket.on('error', () => {});
    return { socket, answer: () => answer };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#server.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** Resolves when the connection is closed, which may be by a reset: the server need not read everything. */
export function closed(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.on('close', resolve));
}
