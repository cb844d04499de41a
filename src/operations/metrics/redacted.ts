/** Bodies and errors as people may see them: cut, and without what looks secret. */
import { isSecretKey, withoutPasswords } from '../../config/secrets.ts';

/** Longer bodies are not parsed to find what is secret in them. */
const LONGEST_PARSED = 64 * 1024;
/** `password=abc`, `"token": "abc"`, `Authorization: Bearer abc` in what is no JSON. */
const SECRET_TEXT =
  /([\w-]*(?:pass|pwd|secret|token|key|credential|authorization)[\w-]*["']?\s*[:=]\s*)("[^"]*"?|'[^']*'?|(?:bearer |basic )?[^\s&,;}]+)/gi;

/**
 * The first `length` characters of a text: `***` for the values of keys that are named like secrets, in JSON and in
 * other texts, and for passwords in URLs.
 *
 *     redacted('[["ann"],{"password":"abc"}]', 100)  // '[["ann"],{"password":"***"}]'
 */
export function redacted(text: string, length: number): string {
  const shown = withoutPasswords(redactedJson(text) ?? text.slice(0, length).replace(SECRET_TEXT, '$1***'));
  return shown.length > length ? `${shown.slice(0, length)}…` : shown;
}

/** Undefined for what is no JSON, or too long to look. */
function redactedJson(text: string): string | undefined {
  if (text.length > LONGEST_PARSED) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), (key, value: unknown) => (isSecretKey(key) ? '***' : value));
  } catch {
    return undefined;
  }
}
