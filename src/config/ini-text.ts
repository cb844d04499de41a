/**
 * Reads the text of an ini file: its sections, keys and values, each with its line. `ini` has no lines and swallows
 * mistakes, so it only gets to read the values, and what it would swallow is a problem here: keys and sections given
 * twice, keys with no value or no section, headers that are none, values that a comment cuts.
 */
import { unsafe } from 'ini';
import type { IniProblem } from './config-error.ts';
import { withoutSecretBehind } from './secrets.ts';

export interface IniEntry {
  readonly key: string;
  /** Without its quotes and escapes; `${NAME}` stays. */
  readonly value: string;
  readonly line: number;
}

export interface IniSection {
  readonly name: string;
  /** Of its header. */
  readonly line: number;
  readonly entries: ReadonlyMap<string, IniEntry>;
}

export interface IniText {
  readonly sections: ReadonlyMap<string, IniSection>;
  readonly problems: readonly IniProblem[];
}

/** Reads any text; what is wrong with it comes back as problems. */
export function readIniText(text: string): IniText {
  const reader = new IniReader();
  // Trimming takes away the byte order mark, too.
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) reader.read(line.trim(), index + 1);
  return reader;
}

interface OpenSection extends IniSection {
  readonly entries: Map<string, IniEntry>;
}

class IniReader implements IniText {
  readonly sections = new Map<string, OpenSection>();
  readonly problems: IniProblem[] = [];
  #section: OpenSection | undefined;

  read(text: string, line: number): void {
    if (text === '' || text.startsWith(';') || text.startsWith('#')) return;
    if (text.startsWith('[')) this.#header(text, line);
    else this.#entry(text, line);
  }

  #header(text: string, line: number): void {
    const header = /^\[([^[\]]*)\]$/.exec(text);
    // The keys below a broken header belong to the section that it most likely means.
    const name = (header ?? /^[[\s]*([\w.-]*)/.exec(text))?.[1]?.trim() ?? '';
    const earlier = this.sections.get(name);
    const mistake = !header
      ? `${JSON.stringify(withoutSecretBehind(text))} is no header; expected [${name || 'container'}] alone on its line`
      : earlier && `is on line ${earlier.line} already; put all its keys there`;
    if (mistake !== undefined) this.problems.push({ line, section: name, text: mistake });
    this.#section = earlier ?? { name, line, entries: new Map() };
    this.sections.set(name, this.#section);
  }

  #entry(text: string, line: number): void {
    const equals = text.indexOf('=');
    const key = (equals === -1 ? text : text.slice(0, equals)).trim();
    const written = equals === -1 ? undefined : text.slice(equals + 1).trim();
    const mistake = this.#mistakeIn(key, written);
    if (mistake !== undefined) {
      this.problems.push({ line, section: this.#section?.name, key, value: written, text: mistake });
    }
    const entries = this.#section?.entries;
    if (!entries?.has(key)) entries?.set(key, { key, value: readValue(written ?? ''), line });
  }

  #mistakeIn(key: string, written: string | undefined): string | undefined {
    if (!this.#section) return 'is in no section; put it below a header such as [container]';
    const earlier = this.#section.entries.get(key);
    if (earlier) return `is on line ${earlier.line} already; keep one of them`;
    if (written === undefined) return `has no value; write ${key.split(/[\s:]/, 1)[0]} = VALUE`;
    return mistakeInKey(key) ?? mistakeInValue(written);
  }
}

/** The value by the rules of `ini`, but for single quotes: it would read the text between them as JSON. */
function readValue(written: string): string {
  return /^'.*'$/s.test(written) ? written.slice(1, -1) : unsafe(written);
}

function mistakeInKey(key: string): string | undefined {
  if (key === '') return 'a value without a key; write KEY = VALUE';
  if (key === '__proto__') return 'no key can have this name';
  return /["'[\];#]/.test(key) ? 'a key has no quotes, brackets, ; or # in it' : undefined;
}

/** What `ini` would not say of a value. */
function mistakeInValue(written: string): string | undefined {
  const quote = /^(["']).*\1$/s.exec(written)?.[1];
  // ini leaves the quotes on what it cannot read.
  if (quote === '"' && readValue(written) === written) {
    return 'between double quotes \\ is written \\\\ and " is written \\"; single quotes take both as they are';
  }
  const comment = quote ? undefined : /(?<!\\)(?:\\\\)*([;#])/.exec(written)?.[1];
  return comment && `${comment} starts a comment; quote the value, or put the comment on a line of its own`;
}
