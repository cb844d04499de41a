/**
 * The lines of a messages log: one body a line, as it is where that is possible, else as a JSON string. What is read
 * back is the same body to the last character, so that a log can be sent again.
 */
import { escapeCharacter, UNPRINTABLE } from './printable.ts';

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
