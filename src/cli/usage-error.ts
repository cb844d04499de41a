/** A command line that is wrong. The message says how, and where to learn more. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(command: string, problem: string) {
    super(`${command}: ${problem}\nSee ${command} --help.`);
  }
}
