/** Prepares bodies and errors for display: truncated, and without likely secrets. */
import { isSecretKey, withoutPasswords } from '../../config/secrets.ts';

/** Longer bodies are not parsed to find secrets in them. */
const LONGEST_PARSED = 64 * 1024;
/** Keep this much more text when searching: the end of a secret may be needed to find it, as in a URL's password. */
const MARGIN = 1_000;
/** A name that suggests a secret, up to its value: `password=`, `"token": `, `<secret>`, `\"key\":`. */
const SECRET_NAME =
  /(?:pass|pwd|secret|token|key|credential|authorization)[\w.[\]-]{0,100}\\*["']?\s*[:=>]\s*/;
/**
 * The value: in quotes; everything that follows if it starts something longer; a word directly after `=`; otherwise the
 * rest of the line.
 */
const SECRET_VALUE =
  /"(?:[^"\\]|\\.)*(?:"(?=\s*(?:[,;&}\])]|$))|$)|'(?:[^'\\]|\\.)*(?:'(?=\s*(?:[,;&}\])]|$))|$)|(?:[{[(<|>\\]|-----).*|(?<=\S=)[^\s&"']+|[^\r\n]+/;
const SECRET_TEXT = new RegExp(`(${SECRET_NAME.source})(?:${SECRET_VALUE.source})`, 'gis');

/**
 * The first `length` characters of a text, with `***` for passwords in URLs and for values whose names suggest a secret,
 * in JSON and in other texts.
 *
 *     redacted('[["ann"],{"password":"abc"}]', 100)  // '[["ann"],{"password":"***"}]'
 */
export function redacted(text: string, length: number): string {
  const start = text.slice(0, length + MARGIN);
  const shown = redactedJson(text) ?? redactedText(start);
  return shown.length > length || start.length < text.length ? `${shown.slice(0, length)}…` : shown;
}

/** Undefined if the text is not JSON, or too long to parse. */
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

/** A string in JSON may contain JSON, as in messages from SNS. */
function redactedString(text: string): string {
  return (/^\s*[{["]/.test(text) ? redactedJson(text) : undefined) ?? redactedText(text);
}

function redactedText(text: string): string {
  return withoutPasswords(text.replace(SECRET_TEXT, '$1***'));
}
