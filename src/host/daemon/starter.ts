/** The daemon's side of its start: telling the process that waits. */

/** Set for the daemon. */
export const DAEMON_VARIABLE = 'SQS_CONTAINERS_DAEMON';

/** What tells the process that started this daemon that it is ready; undefined in a process that is none. To be asked once. */
export function findDaemonStarter(): (() => void) | undefined {
  const isDaemon = process.env[DAEMON_VARIABLE] !== undefined;
  delete process.env[DAEMON_VARIABLE];
  if (!isDaemon) return undefined;
  return () => {
    // It may have ended; and it waits for the first word only.
    if (process.connected) process.send?.('ready', undefined, undefined, () => process.disconnect?.());
  };
}
