/** The status server: where it listens, and what bounds those who ask. */
import { once } from 'node:events';
import { lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { type ListenAddress, parseListen } from '../../config/listen.ts';
import { readToken } from './access.ts';
import { readAsset, statusApp } from './app.ts';
import { Monitor, type StatusSource } from './monitor.ts';
import type { ContainerFacts } from './status.ts';
import { StatusServerError } from './status-server-error.ts';

export interface StatusServerOptions {
  readonly source: StatusSource;
  readonly facts: ContainerFacts;
  /** How long a receive waits for messages, in seconds. */
  readonly waitSeconds: number;
  /** As `[http] listen` has it. */
  readonly listen: string;
  /** The file with the token that steering needs. */
  readonly tokenFile: string | undefined;
  /** Told what kept a request from its answer. */
  readonly onError: (error: Error) => void;
}

export interface StatusServer {
  /** For people: `http://127.0.0.1:8125/`, or the path of the socket. */
  readonly address: string;
  /** Ends what is open, events too. */
  close(): Promise<void>;
}

/** Owner and group may connect to a Unix socket. */
const SOCKET_UMASK = 0o117;

/** Opens the server. Throws StatusServerError. */
export async function openStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const listen = parseListen(options.listen) as ListenAddress;
  const token = options.tokenFile === undefined ? undefined : readToken(options.tokenFile);
  const monitor = new Monitor(options.source, options.facts, options.waitSeconds);
  const { source, onError } = options;
  const app = statusApp({ monitor, source, listen, token, asset: readAsset, onError });
  const server = createAdaptorServer({
    fetch: app.fetch,
    // The worker's are to stay as they are.
    overrideGlobalObjects: false,
    serverOptions: {
      maxHeaderSize: 8 * 1024,
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      connectionsCheckingInterval: 5_000,
    },
  }) as Server;
  server.maxConnections = 100;
  try {
    await start(server, listen);
  } catch (error) {
    monitor.close();
    throw notListening(options.listen, error as NodeJS.ErrnoException);
  }
  return {
    address: addressOf(server, listen),
    close: async () => {
      monitor.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function start(server: Server, listen: ListenAddress): Promise<void> {
  if ('host' in listen) return listening(server, () => server.listen(listen));
  if (await isLeftBehind(listen.path)) rmSync(listen.path);
  // It must not be there for others even for a moment; `listen` makes the socket before it returns.
  const umask = process.umask(SOCKET_UMASK);
  const started = listening(server, () => server.listen(listen));
  process.umask(umask);
  return started;
}

async function listening(server: Server, listen: () => void): Promise<void> {
  const done = once(server, 'listening');
  listen();
  await done;
}

/** Whether a Unix socket is there, and no process listens to it any more. */
async function isLeftBehind(path: string): Promise<boolean> {
  // A connection to any other file is refused, too.
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return false;
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

function addressOf(server: Server, listen: ListenAddress): string {
  if ('path' in listen) return listen.path;
  const { port } = server.address() as AddressInfo;
  return `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}/`;
}

function notListening(listen: string, cause: NodeJS.ErrnoException): StatusServerError {
  const temporary = cause.code === 'EADDRINUSE';
  return new StatusServerError(`The status server cannot listen on ${listen}: ${reasonOf(cause)}.`, {
    temporary,
    cause,
  });
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another process does. End that one, or set another address in [http] listen';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address. Set one that it has, such as 127.0.0.1:8125, in [http] listen';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'there is no such name. Set an address such as 127.0.0.1:8125 in [http] listen';
    case 'EACCES':
      return 'this user may not. Set a port from 1024, or a socket in a folder that it may write to, in [http] listen';
    case 'ENOENT':
      return 'there is no such folder. Make it, or set another path in [http] listen';
    default:
      return message;
  }
}
