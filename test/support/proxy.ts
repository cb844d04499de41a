/** A proxy for specs, like those between a company's servers and AWS, with the servers behind it. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ProxyServer {
  readonly url: string;
  /** The hosts and ports of requested tunnels (HTTPS), in order. */
  readonly tunnels: string[];
  /** The URLs of plain HTTP requests, in order. */
  readonly requests: string[];
  stop(): Promise<void>;
}

/** The response for a host: status 200 with this body, or the response of the server at `url`. */
export type Behind = Readonly<Record<string, { readonly body: string } | { readonly url: string }>>;

/** Starts a proxy. All tunnels lead to a server with its own certificate, which responds according to `behind`, by host. */
export async function startProxy(behind: Behind): Promise<ProxyServer> {
  const tunnels: string[] = [];
  const requests: string[] = [];
  const secure = createTlsServer(certificate(), (incoming, response) => {
    const target = behind[incoming.headers.host ?? ''];
    if (target === undefined) response.writeHead(404).end();
    else if ('body' in target) response.end(target.body);
    else forward(incoming, response, new URL(incoming.url ?? '', target.url));
  });
  const proxy = createServer((incoming, response) => {
    requests.push(incoming.url ?? '');
    forward(incoming, response, new URL(incoming.url ?? ''));
  });
  const securePort = await listen(secure);
  proxy.on('connect', (incoming, socket) => {
    tunnels.push(incoming.url ?? '');
    const tunnel = connect(securePort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(tunnel).pipe(socket);
    });
    for (const side of [socket, tunnel]) side.on('error', () => {}).on('close', () => tunnel.destroy());
  });
  return {
    url: `http://127.0.0.1:${await listen(proxy)}`,
    tunnels,
    requests,
    async stop() {
      for (const server of [proxy, secure]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function forward(incoming: IncomingMessage, response: ServerResponse, to: URL): void {
  const { method, headers } = incoming;
  const onward = request(to, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  incoming.pipe(onward);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A key and a self-signed certificate. */
function certificate(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')] as const;
  const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...made, '-days', '1', '-subj', '/CN=specs'], { stdio: 'ignore' });
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return pair;
}
