/** The token that steering needs, in its file. */
import { readFileSync, statSync } from 'node:fs';
import { StatusServerError } from './errors.ts';

const LEAST_TOKEN = 16;

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
