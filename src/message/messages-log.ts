/**
 * The lines of a messages log: one body a line, as it is where that is possible, else as a JSON string. What is read
 * back is the same body to the last character, so that a log can be sent again.
 */

/** What would end a line, move the cursor of a terminal, or be lost when the line is written as UTF-8. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\p{Surrogate}]/u;
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\u2028\u2029]/g;

/**
 * A body as one line, without the line's end.
 *
 *     encodeLine('[[1,2],{}]')    // [[1,2],{}]
 *     encodeLine('a\nb')          // "a\nb"
 */
export function encodeLine(body: string): string {
  const isPlain = body !== '' && !body.startsWith('"') && !UNPRINTABLE.test(body);
  return isPlain ? body : JSON.stringify(body).replace(UNPRINTABLE_IN_JSON, escapeCharacter);
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

/** A character as JSON escapes it, for those that JSON.stringify leaves as they are. */
export function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
