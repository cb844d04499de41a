/** The kinds of options that the command lines of the executables have, for yargs. */

/** One that takes a value, which comes as a text. */
export function value(describe: string) {
  return { type: 'string', requiresArg: true, describe } as const;
}

/** One that takes a value, and may be given several times. */
export function repeatable(describe: string) {
  return { type: 'string', array: true, nargs: 1, describe } as const;
}

/** One that is there or not: what follows it is not its value. */
export function flag(describe: string) {
  return { type: 'boolean', default: false, nargs: 0, describe } as const;
}
