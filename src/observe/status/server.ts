/** Opens the status server: its address or socket, and its limits for clients. */
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
  /** How long a long poll waits for messages, in seconds. */
  readonly waitSeconds: number;
  /** The value of `[http] listen`. */
  readonly listen: string;
  /** The file with the token for actions. */
  readonly tokenFile: string | undefined;
  /** Called with the error if a request cannot be answered. */
  readonly onError: (error: Error) => void;
}

export interface StatusServer {
  /** For people: `http://127.0.0.1:8125/`, or the path of the socket. */
  readonly address: string;
  /** Closes the server and its connections, including event streams. */
  close(): Promise<void>;
}

/** Only owner and group can connect to a Unix socket. */
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
    // The worker's globals must not change.
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
  // Other users must not be able to connect even for a moment. `listen` creates the socket before it returns.
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

/** Whether the path is a Unix socket without a listening process. */
async function isLeftBehind(path: string): Promise<boolean> {
  // A connection to any other kind of file would also be refused.
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
      return 'the address is in use by another process. Stop that process, or set another address in [http] listen';
    case 'EADDRNOTAVAIL':
      return 'it is not an address of this machine. Set an address of this machine, such as 127.0.0.1:8125, in [http] listen';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'DNS lookup failed. Set an address such as 127.0.0.1:8125 in [http] listen';
    case 'EACCES':
      return 'permission denied. Set a port of at least 1024, or a socket in a folder that this user can write to, in [http] listen';
    case 'ENOENT':
      return 'the folder does not exist. Create it, or set another path in [http] listen';
    default:
      return message;
  }
}
