/** Texts from outside as they may be written: on one line, and without a hold on the terminal or the eye of the reader. */

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
