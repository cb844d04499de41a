/**
 * Texts from outside as they may be written, on one line each: `printable` for people, without control over the terminal,
 * and `encodeLine` for a messages log. What is read back from such a log is the same body to the last character, so that it
 * can be sent again.
 */
/**
 * Control characters, ends of lines, and what turns the direction of writing around, so that a line reads as something
 * else than it says.
 */
export const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * A text with escapes for what is not printable:
 *
 *     printable('a\nb')           // 'a\\nb'
 *     printable('\u001b[2Ja')     // '\\u001b[2Ja'
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === '\n' ? '\\n' : escapeCharacter(character)));
}

/** A character as JSON escapes it, for those that JSON.stringify leaves as they are. */
export function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * A body as one line, without the line's end.
 *
 *     encodeLine('[[1,2],{}]')    // [[1,2],{}]
 *     encodeLine('a\nb')          // "a\nb"
 */
export function encodeLine(body: string): string {
  // Half of a surrogate pair would be lost when the line is written as UTF-8.
  const isPlain = body !== '' && !body.startsWith('"') && body.search(UNPRINTABLE) < 0 && body.isWellFormed();
  return isPlain ? body : JSON.stringify(body).replace(UNPRINTABLE, escapeCharacter);
}

/** The body of a line that `encodeLine` made; any other line is a body as it is. */
export function decodeLine(line: string): string {
  if (!line.startsWith('"')) return line;
  try {
    const body: unknown = JSON.parse(line);
    return typeof body === 'string' ? body : line;
  } catch {
    return line;
  }
}
