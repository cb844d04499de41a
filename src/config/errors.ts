/** What is wrong with an ini file: every problem of it, each with its place and what would be right. */

/** One problem of an ini file. */
export interface ConfigProblem {
  /** The ini file, as it was named. */
  readonly file: string;
  /** Counts from 1; unset if the problem is something that is not there. */
  readonly line?: number;
  readonly section?: string;
  readonly key?: string;
  /** The bad value, `${NAME}` filled in. */
  readonly value?: string;
  /** What is wrong and what would be right. */
  readonly text: string;
}

/**
 * An ini file cannot be used. `problems` has all that is wrong with it, in the order of the file; the message has
 * them one a line: `worker.ini:12: [container] pol: unknown key; did you mean "poll"?`
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map(formatProblem).join('\n'), options);
    this.problems = problems;
  }
}

function formatProblem({ file, line, section, key, text }: ConfigProblem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  const option = [section === undefined ? '' : `[${section}]`, key ?? ''].filter(Boolean).join(' ');
  return `${place}: ${option && `${option}: `}${text}`;
}
