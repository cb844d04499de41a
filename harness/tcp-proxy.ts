/** A TCP proxy in front of any server, which simulates network failures. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export interface TcpProxy {
  readonly port: number;
  /** Resets all connections. */
  cut(): void;
  /** While true, new connections are also reset. */
  refuse(on: boolean): void;
  /** While true, holds back all data without losing any. */
  stall(on: boolean): void;
  /** Delays all data by this many milliseconds. */
  delay(milliseconds: number): void;
  close(): Promise<void>;
}

/** Starts a proxy on a free local port, in front of the local port `target`. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  let refuses = false;
  let stalls = false;
  let delayMs = 0;

  const gate = () =>
    new Transform({
      transform(chunk: Buffer, _encoding, next) {
        const pass = () => next(null, chunk);
        if (stalls) waiting.add(pass);
        else if (delayMs > 0) setTimeout(pass, delayMs);
        else pass();
      },
    });
  const cut = () => {
    for (const socket of sockets) {
      // Node.js 24 would never exit after a reset of a socket that is still connecting or already ending.
      if (socket.connecting || socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
    waiting.clear();
  };

  const server = createServer((client) => {
    if (refuses) {
      client.on('error', () => {}).resetAndDestroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(gate()).pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    refuse(on) {
      refuses = on;
      if (on) cut();
    },
    stall(on) {
      stalls = on;
      if (on) return;
      const held = [...waiting];
      waiting.clear();
      for (const pass of held) pass();
    },
    delay(milliseconds) {
      delayMs = milliseconds;
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
