/**
 * Reads the text of an ini file into sections, keys and values, each with its line number. The `ini` package does not
 * report lines and ignores mistakes, so we use it only to parse values and report what it ignores: duplicate keys and
 * sections, keys without a value or a section, malformed headers, values cut off by a comment.
 */
import { unsafe } from 'ini';
import type { IniProblem } from './config-error.ts';
import { withoutSecretBehind } from './secrets.ts';

export interface IniEntry {
  readonly key: string;
  /** Without quotes and escapes; `${NAME}` is not yet substituted. */
  readonly value: string;
  readonly line: number;
}

export interface IniSection {
  readonly name: string;
  /** The line of its header. */
  readonly line: number;
  readonly entries: ReadonlyMap<string, IniEntry>;
}

export interface IniText {
  readonly sections: ReadonlyMap<string, IniSection>;
  readonly problems: readonly IniProblem[];
}

/** Reads any text and never throws; mistakes are returned as problems. */
export function readIniText(text: string): IniText {
  const reader = new IniReader();
  // Trimming also removes the byte order mark.
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
    // Keys below a malformed header belong to the section that the header most likely means.
    const name = (header ?? /^[[\s]*([\w.-]*)/.exec(text))?.[1]?.trim() ?? '';
    const earlier = this.sections.get(name);
    const mistake = !header
      ? `${JSON.stringify(withoutSecretBehind(text))} is not a header; expected [${name || 'container'}] alone on its line`
      : earlier && `is already on line ${earlier.line}; put all its keys there`;
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
    if (!this.#section) return 'is not in a section; put it below a header such as [container]';
    const earlier = this.#section.entries.get(key);
    if (earlier) return `is already on line ${earlier.line}; keep only one of them`;
    if (written === undefined) return `has no value; write ${key.split(/[\s:]/, 1)[0]} = VALUE`;
    return mistakeInKey(key) ?? mistakeInValue(written);
  }
}

/** The value by the rules of `ini`, except that it would parse the text inside single quotes as JSON. */
function readValue(written: string): string {
  return /^'.*'$/s.test(written) ? written.slice(1, -1) : unsafe(written);
}

function mistakeInKey(key: string): string | undefined {
  if (key === '') return 'a value without a key; write KEY = VALUE';
  if (key === '__proto__') return 'no key can have this name';
  return /["'[\];#]/.test(key) ? 'a key cannot contain quotes, brackets, ; or #' : undefined;
}

/** Mistakes in a value that `ini` would not report. */
function mistakeInValue(written: string): string | undefined {
  const quote = /^(["']).*\1$/s.exec(written)?.[1];
  // ini keeps the quotes around text that it cannot parse.
  if (quote === '"' && readValue(written) === written) {
    return 'inside double quotes, write \\ as \\\\ and " as \\"; single quotes need no escapes';
  }
  const comment = quote ? undefined : /(?<!\\)(?:\\\\)*([;#])/.exec(written)?.[1];
  return comment && `${comment} starts a comment; quote the value, or put the comment on a line of its own`;
}
