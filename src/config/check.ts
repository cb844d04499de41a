/** Checks the sections of an ini file against their options and collects all problems. */
import type * as z from 'zod';
import type { ConfigProblem, IniProblem } from './config-error.ts';
import type { IniText } from './ini-text.ts';
import { withoutSecretBehind, withoutSecrets } from './secrets.ts';
import { substitute } from './substitution.ts';
import { suggest } from './suggestion.ts';

/** The ini key of an option: `visibilityTimeout` is `visibility_timeout`. */
export function keyOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export class Check {
  readonly #file: string;
  readonly #ini: IniText;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #problems: ConfigProblem[] = [];

  /** Starts with the problems found while reading the text. */
  constructor(file: string, ini: IniText, environment: NodeJS.ProcessEnv) {
    this.#file = file;
    this.#ini = ini;
    this.#environment = environment;
    for (const problem of ini.problems) this.add(problem);
  }

  /** All problems found so far, in file order. */
  get problems(): readonly ConfigProblem[] {
    return this.#problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
  }

  /** Adds a problem, unless its entry already has a problem: each mistake is reported once. */
  add(problem: IniProblem): void {
    const { line, key = '', value, section } = problem;
    const shownKey = withoutSecretBehind(key);
    if (this.#problems.some((other) => other.line === line && (other.key ?? '') === shownKey)) return;
    this.#problems.push({
      file: this.#file,
      ...problem,
      section: section && withoutSecretBehind(section),
      key: problem.key && shownKey,
      value: value === undefined ? undefined : withoutSecrets(key, value),
    });
  }

  /** The options of a section; undefined if any of them is invalid. A missing section counts as empty. */
  options<Options extends z.ZodObject>(section: string, options: Options): z.output<Options> | undefined {
    const names = new Map(Object.keys(options.shape).map((name) => [keyOf(name), name]));
    const given = this.values(section);
    const input: Record<string, string> = {};
    for (const [key, value] of given) {
      const name = names.get(key);
      if (name !== undefined) input[name] = value;
      else this.#addAt(section, key, `unknown key; ${suggest(key, [...names.keys()], `[${section}] takes`)}`);
    }
    const result = options.safeParse(input);
    for (const { path, message } of result.error?.issues ?? []) {
      const key = keyOf(String(path[0]));
      this.#addAt(section, key, message, given.get(key));
    }
    return result.data;
  }

  /** All values of a section, with environment variables substituted. */
  values(section: string): Map<string, string> {
    const values = new Map<string, string>();
    for (const { key, value: written, line } of this.#ini.sections.get(section)?.entries.values() ?? []) {
      const { value, problems } = substitute(written, this.#environment);
      if (problems.length > 0) this.add({ line, section, key, value: written, text: problems.join('; ') });
      values.set(key, value);
    }
    return values;
  }

  /** Adds a problem on the line of its key, or of its section if the key is missing. */
  #addAt(section: string, key: string, text: string, value?: string): void {
    const found = this.#ini.sections.get(section);
    this.add({ line: (found?.entries.get(key) ?? found)?.line, section, key, value, text });
  }
}
