/** What Ctrl-C means for a command that has something to put in order first. */

/** Runs `work` with a signal that SIGINT and SIGTERM abort; a second one ends the process as usual. */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) process.once(name, abort);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of names) process.removeListener(name, abort);
  }
}
