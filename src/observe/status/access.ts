/**
 * Who may ask the status server, and the token that steering needs. The server has no login, so it answers only requests
 * that name this machine: a page from elsewhere, which a browser here shows, can make its own name point here (DNS
 * rebinding), but not send another name. What steers the container needs a token, and no page from elsewhere may ask for it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { isLoopback, type ListenAddress } from '../../config/listen.ts';
import { StatusServerError } from './status-server-error.ts';

const LEAST_TOKEN = 16;

/** Answered for any name, if the server is there for other machines: these ask by the names that they know. */
const FOR_MACHINES = ['/metrics', '/healthz', '/readyz'];

/**
 * Whether a request may be answered that has this `Host` header. Addresses cannot be rebound, and no browser can reach a
 * Unix socket.
 */
export function isAllowedHost(host: string | undefined, path: string, listen: ListenAddress): boolean {
  if ('path' in listen) return true;
  const name = hostnameOf(host);
  if (name === undefined) return false;
  if (isLoopback(name) || sameName(name, listen.host)) return true;
  if (isLoopback(listen.host)) return false;
  return isIP(name) !== 0 || sameName(name, hostname()) || FOR_MACHINES.includes(path);
}

/**
 * Whether a request may come from this `Origin`: from no page, or from one of this server. Others could not read the
 * answer, but could keep the server busy.
 */
export function isAllowedOrigin(origin: string | undefined, host: string | undefined): boolean {
  return (
    origin === undefined ||
    (host !== undefined && /^https?:\/\//.test(origin) && hostOf(origin) === host.toLowerCase())
  );
}

/** Whether an `Authorization` header has the token; takes as long for a wrong one as for the right one. */
export function hasToken(authorization: string | undefined, token: string): boolean {
  const [, given = ''] = /^bearer (\S+)$/i.exec(authorization ?? '') ?? [];
  return timingSafeEqual(digest(given), digest(token));
}

/** Reads the token. Throws StatusServerError. */
export function readToken(file: string): string {
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new StatusServerError(
      `The token_file ${file} cannot be read: ${(cause as Error).message}. Write a token of ${LEAST_TOKEN} characters or more into it.`,
      { temporary: false, cause },
    );
  }
  if (token.length >= LEAST_TOKEN && /^\S+$/.test(token)) return token;
  throw new StatusServerError(
    `The token_file ${file} has no token: expected one word of ${LEAST_TOKEN} characters or more, such as "openssl rand -hex 32" prints.`,
    { temporary: false },
  );
}

/** Whether every user of this machine may read the file. */
export function isReadableByAll(file: string): boolean {
  return (statSync(file).mode & 0o004) !== 0;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** `127.0.0.1` of `127.0.0.1:8125`, `::1` of `[::1]:8125`. */
function hostnameOf(host: string | undefined): string | undefined {
  const [, ipv6, name] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d+)?$/i.exec(host ?? '') ?? [];
  return ipv6 ?? name;
}

function hostOf(origin: string): string {
  return origin.slice(origin.indexOf('//') + 2).toLowerCase();
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
