/** What systemd's journal reads at the start of a line: its priority. */

/** syslog's priorities, as systemd has them (sd-daemon(3)). */
const PRIORITIES: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/**
 * A text with the priority of a level before each line: the journal makes an entry of each.
 *
 *     withPriority('one\ntwo', 'error') // '<3>one\n<3>two'
 */
export function withPriority(text: string, level: string): string {
  return text.replace(/^/gm, `<${PRIORITIES[level] ?? PRIORITIES.info}>`);
}
