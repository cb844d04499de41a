/**
 * Writes untrusted text safely on one line: `printable` for people, with terminal control characters escaped, and
 * `encodeLine` for a messages log. A body read back from such a log is identical, so that it can be sent again.
 */

/** Control characters, line ends, and bidirectional controls, which can make a line read differently. */
export const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * Escapes unprintable characters in a text:
 *
 *     printable('a\nb')           // 'a\\nb'
 *     printable('\u001b[2Ja')     // '\\u001b[2Ja'
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === '\n' ? '\\n' : escapeCharacter(character)));
}

/** Escapes a character like JSON, for those that JSON.stringify does not escape. */
export function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Writes a body as one line, without the line end.
 *
 *     encodeLine('[[1,2],{}]')    // [[1,2],{}]
 *     encodeLine('a\nb')          // "a\nb"
 */
export function encodeLine(body: string): string {
  // Half of a surrogate pair would be lost when writing the line as UTF-8.
  const isPlain = body !== '' && !body.startsWith('"') && body.search(UNPRINTABLE) < 0 && body.isWellFormed();
  return isPlain ? body : JSON.stringify(body).replace(UNPRINTABLE, escapeCharacter);
}

/** Reads the body from a line written by `encodeLine`; any other line is taken as the body itself. */
export function decodeLine(line: string): string {
  if (!line.startsWith('"')) return line;
  try {
    const body: unknown = JSON.parse(line);
    return typeof body === 'string' ? body : line;
  } catch {
    return line;
  }
}
