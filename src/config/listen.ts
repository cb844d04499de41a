/** Where a server listens: a host with a port, or the path of a Unix socket. */
import { isIP } from 'node:net';

export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

const HOST_AND_PORT = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i;
const LAST_PORT = 65_535;

/**
 * Parses an address; undefined if it is not valid. Port 0 means any free port.
 *
 *     parseListen('127.0.0.1:8125')      // { host: '127.0.0.1', port: 8125 }
 *     parseListen('[::1]:8125')          // { host: '::1', port: 8125 }
 *     parseListen('./run/status.sock')   // { path: './run/status.sock' }
 */
export function parseListen(text: string): ListenAddress | undefined {
  const [, ipv6, name, port = ''] = HOST_AND_PORT.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (host !== undefined) {
    const isRight = Number(port) <= LAST_PORT && (ipv6 === undefined || isIP(ipv6) === 6);
    return isRight ? { host, port: Number(port) } : undefined;
  }
  return text.includes('/') && !text.includes('://') && !text.endsWith('/') ? { path: text } : undefined;
}

/** Whether a host is a loopback address, which other machines cannot reach. */
export function isLoopback(host: string): boolean {
  return /^(localhost|(.+\.)?localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(host);
}
