import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';

/** What may be passed on under Apache-2.0 without another condition than to name who made it. */
const ALLOWED = ['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0'];

const repository = resolve(import.meta.dirname, '..');
const read = (file: string) => readFileSync(resolve(repository, file), 'utf8');

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
}

/** `NAME VERSION (LICENSE)` at the head of each text. */
const HEAD = /^(\S+ \d\S*) \(([^)]*)\)$/;

describe('the license', () => {
  it('of each package that is bundled is one that may be passed on, and its text comes along', () => {
    const texts = read('dist/LICENSES.txt').split(`\n${'-'.repeat(80)}\n\n`);
    expect(texts.length).to.be.above(20);
    for (const text of texts) {
      const [head = '', ...lines] = text.split('\n');
      const [, name, license] = HEAD.exec(head) ?? [];
      expect(name, head).to.be.a('string');
      expect(license, name).to.be.oneOf(ALLOWED);
      // Some have no file with it; that of Apache-2.0 comes with this package.
      if (license !== 'Apache-2.0') expect(lines.join('').length, `the text of ${name}`).to.be.above(200);
    }
  });

  it('of each package that is installed with this one is on the list, too', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
    const installed = Object.entries(packages).filter(([folder, { dev }]) => folder !== '' && !dev);
    expect(installed.map(([folder]) => folder)).to.include('node_modules/tsx');
    for (const [folder, { license }] of installed) expect(license, folder).to.be.oneOf(ALLOWED);
  });
});
