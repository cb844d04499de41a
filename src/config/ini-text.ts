/**
 * Reads the text of an ini file: its sections, keys and values, each with its line. `ini` alone has no lines and
 * swallows mistakes, so it gets one line at a time, and what it would swallow is a problem here: keys and sections
 * given twice, keys with no value or no section, headers that are none, values that a comment cuts.
 */
import { parse } from 'ini';

export interface IniEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

export interface IniSection {
  readonly name: string;
  /** Of its header. */
  readonly line: number;
  readonly entries: ReadonlyMap<string, IniEntry>;
}

export interface IniProblem {
  readonly line: number;
  readonly section?: string;
  readonly key?: string;
  readonly value?: string;
  readonly text: string;
}

export interface IniText {
  readonly sections: ReadonlyMap<string, IniSection>;
  readonly problems: readonly IniProblem[];
}

/** Reads any text; what is wrong with it comes back as problems. Values are as written: `${NAME}` stays. */
export function readIniText(text: string): IniText {
  const reader = new IniReader();
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) reader.read(line, index + 1);
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
    if (/^\s*([;#]|$)/.test(text)) return;
    if (/^\s*\[/.test(text)) this.#header(text, line);
    else this.#entry(text, line);
  }

  #header(text: string, line: number): void {
    const [, name] = /^\[\s*([\w.-]+)\s*\]\s*$/.exec(text) ?? [];
    if (name === undefined) {
      this.problems.push({
        line,
        value: text,
        text: `${JSON.stringify(text)} is no header; write the name of a section alone on a line, such as [container]`,
      });
    }
    // The keys below a broken header belong to the section that it most likely means.
    const meant = name ?? /^\s*\[+\s*([\w.-]*)/.exec(text)?.[1] ?? '';
    const known = this.sections.get(meant);
    if (known) {
      this.problems.push({
        line,
        section: meant,
        text: `there is such a section on line ${known.line} already; put all its keys there`,
      });
    }
    this.#section = known ?? { name: meant, line, entries: new Map() };
    this.sections.set(meant, this.#section);
  }

  #entry(text: string, line: number): void {
    const equals = text.indexOf('=');
    const key = (equals === -1 ? text : text.slice(0, equals)).trim();
    const section = this.#section?.name;
    const problem = (what: string) =>
      this.problems.push({ line, ...(section !== undefined && { section }), key, text: what });

    if (section === undefined) problem('is in no section; put it below a header such as [container]');
    if (equals === -1) {
      problem(`has no value; write ${key} = VALUE`);
      return;
    }
    const refused = refuseKey(key);
    if (refused !== undefined) {
      problem(refused);
      return;
    }
    const written = text.slice(equals + 1).trim();
    const value = readValue(written);
    const mistake = mistakeIn(written, value);
    if (mistake !== undefined) problem(mistake);
    const earlier = this.#section?.entries.get(key);
    if (earlier) problem(`is on line ${earlier.line} already; keep one of them`);
    else this.#section?.entries.set(key, { key, value: value ?? written, line });
  }
}

function refuseKey(key: string): string | undefined {
  if (key === '') return 'a value without a key; write KEY = VALUE';
  if (key === '__proto__') return 'no key can have this name';
  if (key.endsWith('[]')) return `there are no lists; write one value, such as ${key.slice(0, -2)} = a, b`;
  return /["'[\];#\u2028\u2029]/.test(key) ? 'a key has no quotes, brackets, ; or # in it' : undefined;
}

/** The value by the rules of `ini`, as text; undefined if it cannot read the line. */
function readValue(written: string): string | undefined {
  const value: unknown = parse(`value=${written}`).value;
  if (value === undefined || typeof value === 'string') return value;
  // ini makes true, false and null of these words, and reads JSON between single quotes.
  return written.startsWith("'") ? written.slice(1, -1) : String(value);
}

function mistakeIn(written: string, value: string | undefined): string | undefined {
  if (value === undefined)
    return 'the line has a character that ends lines; write it as \\u2028 or \\u2029, in double quotes';
  const [, quote] = /^(["']).*\1$/.exec(written) ?? [];
  if (quote === '"' && value === written) {
    return 'what is between the double quotes is no JSON text; write \\\\ for \\ and \\" for ", or use single quotes';
  }
  if (quote === undefined && /(?<!\\)(\\\\)*[;#]/.test(written)) {
    return `; and # start a comment, which leaves ${JSON.stringify(value)}; quote the value, or move the comment to a line of its own`;
  }
  return undefined;
}
