/** Bodies and errors as people may see them: cut, and without what looks secret. */
import { isSecretKey, withoutPasswords } from '../../config/secrets.ts';

/** Longer bodies are not parsed to find what is secret in them. */
const LONGEST_PARSED = 64 * 1024;
/** What is cut off before secrets are looked for must not be the end of one, by which it is known: a URL's password. */
const MARGIN = 1_000;
/** What is named like a secret, and what stands before its value: `password=`, `"token": `, `<secret>`, `\"key\":`. */
const SECRET_NAME =
  /(?:pass|pwd|secret|token|key|credential|authorization)[\w.[\]-]{0,100}\\*["']?\s*[:=>]\s*/;
/**
 * Its value: in quotes; all that follows if it begins as something longer; a word right behind `=`; else the rest of the
 * line.
 */
const SECRET_VALUE =
  /"(?:[^"\\]|\\.)*(?:"(?=\s*(?:[,;&}\])]|$))|$)|'(?:[^'\\]|\\.)*(?:'(?=\s*(?:[,;&}\])]|$))|$)|(?:[{[(<|>\\]|-----).*|(?<=\S=)[^\s&"']+|[^\r\n]+/;
const SECRET_TEXT = new RegExp(`(${SECRET_NAME.source})(?:${SECRET_VALUE.source})`, 'gis');

/**
 * The first `length` characters of a text: `***` for the values of keys that are named like secrets, in JSON and in
 * other texts, and for passwords in URLs.
 *
 *     redacted('[["ann"],{"password":"abc"}]', 100)  // '[["ann"],{"password":"***"}]'
 */
export function redacted(text: string, length: number): string {
  const start = text.slice(0, length + MARGIN);
  const shown = redactedJson(text) ?? redactedText(start);
  return shown.length > length || start.length < text.length ? `${shown.slice(0, length)}…` : shown;
}

/** Undefined for what is no JSON, or too long to look. */
function redactedJson(text: string): string | undefined {
  if (text.length > LONGEST_PARSED) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), (key, value: unknown) => {
      if (isSecretKey(key)) return '***';
      return typeof value === 'string' ? redactedString(value) : value;
    });
  } catch {
    return undefined;
  }
}

/** A text in JSON may be JSON itself, as in what SNS sends. */
function redactedString(text: string): string {
  return (/^\s*[{["]/.test(text) ? redactedJson(text) : undefined) ?? redactedText(text);
}

function redactedText(text: string): string {
  return withoutPasswords(text.replace(SECRET_TEXT, '$1***'));
}
