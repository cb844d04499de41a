/** What is wrong with an ini file: every problem of it, each with its place and what would be right. */

/** One problem in the text of an ini file. */
export interface IniProblem {
  /** Counts from 1; that of the section's header for a key that is missing, unset if the section is missing, too. */
  readonly line?: number | undefined;
  readonly section?: string | undefined;
  readonly key?: string | undefined;
  /** The bad value, if it is the value that is bad; secrets are `***`. */
  readonly value?: string | undefined;
  /** What is wrong and what would be right. */
  readonly text: string;
}

export interface ConfigProblem extends IniProblem {
  /** The ini file, as it was named. */
  readonly file: string;
}

/**
 * An ini file cannot be used. `problems` has all that is wrong with it, in the order of the file; the message has
 * them one a line:
 *
 *     worker.ini:12: [container] pol: unknown key; did you mean "poll"?
 *     worker.ini:13: [container] on_error = "ignore": expected delete or retry
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map(formatProblem).join('\n'), options);
    this.problems = problems;
  }
}

function formatProblem({ file, line, section, key, value, text }: ConfigProblem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  const given = value === undefined ? key : `${key} = ${JSON.stringify(value)}`;
  const option = [section === undefined ? '' : `[${section}]`, given].filter(Boolean).join(' ');
  return [place, option, text].filter(Boolean).join(': ');
}
