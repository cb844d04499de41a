/** Holds the sections of an ini file against the options that they may have, and collects what is wrong. */
import type * as z from 'zod';
import type { ConfigProblem } from './errors.ts';
import type { IniProblem, IniSection, IniText } from './ini-text.ts';
import { substitute } from './substitution.ts';
import { suggest } from './suggestion.ts';

/** The key that an option has in the ini file: `visibilityTimeout` is `visibility_timeout`. */
export function keyOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export class Check {
  readonly #file: string;
  readonly #ini: IniText;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #problems: ConfigProblem[] = [];

  constructor(file: string, ini: IniText, environment: NodeJS.ProcessEnv) {
    this.#file = file;
    this.#ini = ini;
    this.#environment = environment;
    for (const problem of ini.problems) this.#problems.push({ file, ...problem });
  }

  /** All that was found so far, in the order of the file; what has no line comes first. */
  get problems(): readonly ConfigProblem[] {
    return this.#problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
  }

  /** Adds a problem, unless its entry has one already: one mistake is said once. */
  add(problem: Omit<IniProblem, 'line'> & { readonly line?: number }): void {
    const { line, section, key } = problem;
    const isKnown =
      line !== undefined &&
      this.#problems.some((other) => other.line === line && other.section === section && other.key === key);
    if (!isKnown) this.#problems.push({ file: this.#file, ...problem });
  }

  /** The options of a section; undefined if something is wrong with them. A missing section is an empty one. */
  options<Options extends z.ZodObject>(section: string, options: Options): z.output<Options> | undefined {
    const names = Object.keys(options.shape);
    const given = this.values(section);
    this.#refuseUnknownKeys(section, names.map(keyOf));
    const input = names.flatMap((name) => {
      const value = given.get(keyOf(name));
      return value === undefined ? [] : [[name, value] as const];
    });
    const result = options.safeParse(Object.fromEntries(input));
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues) this.addAt(section, keyOf(String(path[0])), message);
    return undefined;
  }

  /** All values of a section, the environment filled in. */
  values(section: string): Map<string, string> {
    const values = new Map<string, string>();
    for (const { key, value: written, line } of this.#entries(section)) {
      const { value, problems } = substitute(written, this.#environment);
      if (problems.length > 0) this.add({ line, section, key, value: written, text: problems.join('; ') });
      values.set(key, value);
    }
    return values;
  }

  /** Adds a problem of a key, with its line and value if it is there, else with the line of its section. */
  addAt(section: string, key: string, text: string): void {
    const found = this.#ini.sections.get(section);
    const entry = found?.entries.get(key);
    const line = entry?.line ?? found?.line;
    this.add({
      ...(line !== undefined && { line }),
      section,
      key,
      ...(entry && { value: entry.value }),
      text,
    });
  }

  #refuseUnknownKeys(section: string, allowed: readonly string[]): void {
    for (const { key } of this.#entries(section)) {
      if (allowed.includes(key)) continue;
      this.addAt(section, key, `unknown key; ${suggest(key, allowed, `[${section}] takes`)}`);
    }
  }

  #entries(
    section: string,
  ): Iterable<IniSection['entries'] extends ReadonlyMap<string, infer Entry> ? Entry : never> {
    return this.#ini.sections.get(section)?.entries.values() ?? [];
  }
}
