/** Words and paths as unit files need them (systemd.syntax(7)). */

/**
 * A path where a line takes one path, spaces and all. A percent sign begins a specifier there. The end of a line cannot be
 * in it: what follows would be a setting of its own.
 *
 *     unitPath('/srv/100 %') // '/srv/100 %%'
 *     unitPath('/srv/a\nb')  // '/srv/a\\x0ab'
 */
export function unitPath(path: string): string {
  return path.replaceAll('%', '%%').replace(/\p{Cc}/gu, asBytes);
}

/** `\x0a`: each byte of a character. */
function asBytes(character: string): string {
  return Buffer.from(character).toString('hex').replace(/../g, '\\x$&');
}

/**
 * A path where a line takes several: in quotes if need be.
 *
 *     unitWord('/srv/my queue') // '"/srv/my queue"'
 */
export function unitWord(word: string): string {
  const escaped = unitPath(word.replace(/["\\]/g, '\\$&'));
  return /[\s\p{Cc}'"\\;]|^$/u.test(word) ? `"${escaped}"` : escaped;
}

/**
 * An argument of a command: a dollar sign would begin a variable there.
 *
 *     unitArgument('--suffix=$a') // '--suffix=$$a'
 */
export function unitArgument(argument: string): string {
  return unitWord(argument).replaceAll('$', '$$$$');
}
