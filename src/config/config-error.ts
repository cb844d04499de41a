/** The error for an invalid ini file: all problems, each with its location and the expected value. */

/** One problem in the text of an ini file. */
export interface IniProblem {
  /** Counts from 1. For a missing key, the line of the section's header; undefined if the section is also missing. */
  readonly line?: number | undefined;
  readonly section?: string | undefined;
  readonly key?: string | undefined;
  /** The value, if the value is the problem; secrets are `***`. */
  readonly value?: string | undefined;
  /** What is wrong and what was expected. */
  readonly text: string;
}

export interface ConfigProblem extends IniProblem {
  /** The path of the ini file, as given. */
  readonly file: string;
}

/**
 * Thrown for an invalid ini file. `problems` lists everything that is wrong, in file order; the message has one line
 * for each problem:
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
