/**
 * Access control for the status server. The server has no login, so it answers only requests whose `Host` names this
 * machine: another site's page in a local browser can make its own name point here (DNS rebinding), but cannot send
 * another name. Actions that control the container need a token, and pages of other sites cannot request them.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { isLoopback, type ListenAddress } from '../../config/listen.ts';
import { StatusServerError } from './status-server-error.ts';

const LEAST_TOKEN = 16;

/** Answered for any `Host` if the server is reachable from other machines, which may know it by another name. */
const FOR_MACHINES = ['/metrics', '/healthz', '/readyz'];

/**
 * Whether to answer a request with this `Host` header. IP addresses cannot be rebound, and browsers cannot reach a Unix
 * socket.
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
 * Whether to answer a request with this `Origin`: none, or that of this server. Other pages could not read the response,
 * but could keep the server busy.
 */
export function isAllowedOrigin(origin: string | undefined, host: string | undefined): boolean {
  return (
    origin === undefined ||
    (host !== undefined && /^https?:\/\//.test(origin) && hostOf(origin) === host.toLowerCase())
  );
}

/** Whether an `Authorization` header has the token. Compares in constant time. */
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
      `The token_file ${file} cannot be read: ${(cause as Error).message}. It must contain a token of at least ${LEAST_TOKEN} characters.`,
      { temporary: false, cause },
    );
  }
  if (token.length >= LEAST_TOKEN && /^\S+$/.test(token)) return token;
  throw new StatusServerError(
    `The token_file ${file} does not contain a token: expected one word of at least ${LEAST_TOKEN} characters, such as the output of "openssl rand -hex 32".`,
    { temporary: false },
  );
}

/** Whether every user on this machine can read the file. */
export function isReadableByAll(file: string): boolean {
  return (statSync(file).mode & 0o004) !== 0;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** `127.0.0.1` for `127.0.0.1:8125`, `::1` for `[::1]:8125`. */
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
