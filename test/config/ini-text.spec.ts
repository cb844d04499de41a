import { expect } from 'chai';
import fc from 'fast-check';
import { readIniText } from '../../src/config/ini-text.ts';
import { codePoint } from '../support/code-point.ts';

/** The value of the only key. */
function read(written: string): string | undefined {
  const { sections, problems } = readIniText(`[s]\nkey = ${written}`);
  expect(problems).to.deep.equal([]);
  return sections.get('s')?.entries.get('key')?.value;
}

/** The problems as `line: section key = value: text`. */
function problemsOf(text: string): string[] {
  return readIniText(text).problems.map(
    ({ line, section, key, value, text }) => `${line}: ${section} ${key} = ${value}: ${text}`,
  );
}

describe('the text of an ini file', () => {
  it('has sections with keys and values, each with its line', () => {
    const { sections, problems } = readIniText(
      '; a comment\n\n[a]\nx = 1\n# another\ny=two words\n[b.c]\nx = 3\n',
    );
    expect(problems).to.deep.equal([]);
    expect([...sections.keys()]).to.deep.equal(['a', 'b.c']);
    expect(sections.get('a')?.line).to.equal(3);
    expect([...(sections.get('a')?.entries.values() ?? [])]).to.deep.equal([
      { key: 'x', value: '1', line: 4 },
      { key: 'y', value: 'two words', line: 6 },
    ]);
    expect(sections.get('b.c')?.line).to.equal(7);
    expect(sections.get('b.c')?.entries.get('x')).to.deep.equal({ key: 'x', value: '3', line: 8 });
  });

  it('can be empty', () => {
    expect(readIniText('').sections.size).to.equal(0);
    expect(readIniText('\n \n').problems).to.deep.equal([]);
  });

  for (const [name, end] of [
    ['Unix', '\n'],
    ['Windows', '\r\n'],
    ['the old Macintosh', '\r'],
  ] as const) {
    it(`can have the line endings of ${name}`, () => {
      const { sections, problems } = readIniText(['[a]', '', 'x = 1', ''].join(end));
      expect(problems).to.deep.equal([]);
      expect(sections.get('a')?.entries.get('x')).to.deep.equal({ key: 'x', value: '1', line: 3 });
    });
  }

  it('can start with a byte order mark', () => {
    expect(readIniText('\uFEFF[a]\nx = 1').sections.get('a')?.entries.get('x')?.value).to.equal('1');
  });

  it('can be indented', () => {
    expect(readIniText('  [ a ]\n\tx = 1').sections.get('a')?.entries.get('x')?.value).to.equal('1');
  });

  const values: [string, string][] = [
    ['text', 'text'],
    ['two  words  ', 'two  words'],
    ['', ''],
    ['a = b', 'a = b'],
    ['true', 'true'],
    ['null', 'null'],
    ['007', '007'],
    ['"  spaces  "', '  spaces  '],
    ['"a # b"', 'a # b'],
    [String.raw`"line\nend \"quoted\""`, 'line\nend "quoted"'],
    [`'a ; "b"'`, 'a ; "b"'],
    [`'"json"'`, '"json"'],
    [`'5'`, '5'],
    [String.raw`a \# b \; c`, 'a # b ; c'],
    [String.raw`C:\new`, String.raw`C:\new`],
    [String.raw`C:\\new`, String.raw`C:\new`],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what is read
    ['${NAME}', '${NAME}'],
    ['[brackets]', '[brackets]'],
    ['a\u2028b', 'a\u2028b'],
  ];
  for (const [written, value] of values) {
    it(`reads ${JSON.stringify(written)} as ${JSON.stringify(value)}`, () => {
      expect(read(written)).to.equal(value);
    });
  }

  it('reads any text that JSON quotes', () => {
    fc.assert(fc.property(fc.string({ unit: codePoint }), (text) => read(JSON.stringify(text)) === text));
  });

  const cut = (sign: string) =>
    `${sign} starts a comment; quote the value, or put the comment on a line of its own`;
  const problems: [string, string, string[]][] = [
    [
      'a key above the first header',
      'x = 1',
      ['1: undefined x = 1: is not in a section; put it below a header such as [container]'],
    ],
    ['a key given twice', '[a]\nx = 1\nx = 2', ['3: a x = 2: is already on line 2; keep only one of them']],
    [
      'a section given twice',
      '[a]\nx = 1\n\n[a]\ny = 2',
      ['4: a undefined = undefined: is already on line 1; put all its keys there'],
    ],
    ['a key without =', '[a]\nx', ['2: a x = undefined: has no value; write x = VALUE']],
    ['a value without a key', '[a]\n= 1', ['2: a  = 1: a value without a key; write KEY = VALUE']],
    ['the key __proto__', '[a]\n__proto__ = 1', ['2: a __proto__ = 1: no key can have this name']],
    ['a list', '[a]\nx[] = 1', ['2: a x[] = 1: a key cannot contain quotes, brackets, ; or #']],
    [
      'a header followed by something else',
      '[a] ; about a',
      ['1: a undefined = undefined: "[a] ; about a" is not a header; expected [a] alone on its line'],
    ],
    [
      'a header that is not closed',
      '[a',
      ['1: a undefined = undefined: "[a" is not a header; expected [a] alone on its line'],
    ],
    [
      'a header in two brackets',
      '[[a]]',
      ['1: a undefined = undefined: "[[a]]" is not a header; expected [a] alone on its line'],
    ],
    [
      'a bracket',
      '[',
      ['1:  undefined = undefined: "[" is not a header; expected [container] alone on its line'],
    ],
    ['a URL cut off by #', '[a]\nx = http://host/#part', [`2: a x = http://host/#part: ${cut('#')}`]],
    ['a value cut off by ;', '[a]\nx = 1 ; one', [`2: a x = 1 ; one: ${cut(';')}`]],
    ['a comment after a quoted value', '[a]\nx = "1" # one', [`2: a x = "1" # one: ${cut('#')}`]],
    ['# after an escaped backslash', '[a]\nx = 1\\\\#2', [`2: a x = 1\\\\#2: ${cut('#')}`]],
    [
      'an invalid escape inside double quotes',
      '[a]\nx = "\\d"',
      ['2: a x = "\\d": inside double quotes, write \\ as \\\\ and " as \\"; single quotes need no escapes'],
    ],
  ];
  for (const [what, text, expected] of problems) {
    it(`complains about ${what}`, () => expect(problemsOf(text)).to.deep.equal(expected));
  }

  it('adds the keys below a malformed header to the section that it probably means', () => {
    const { sections } = readIniText('[a] ; about a\nx = 1');
    expect(sections.get('a')?.entries.get('x')?.value).to.equal('1');
  });

  it('merges the keys of a section given twice', () => {
    const { sections } = readIniText('[a]\nx = 1\n[b]\n[a]\ny = 2');
    expect([...(sections.get('a')?.entries.keys() ?? [])]).to.deep.equal(['x', 'y']);
  });

  it('keeps the first of two values', () => {
    expect(readIniText('[a]\nx = 1\nx = 2').sections.get('a')?.entries.get('x')?.value).to.equal('1');
  });

  it('can have a section with any name', () => {
    const { sections } = readIniText('[__proto__]\nx = 1\n[constructor]\nx = 2');
    expect([...sections.keys()]).to.deep.equal(['__proto__', 'constructor']);
    expect('x' in {}).to.equal(false);
  });
});
