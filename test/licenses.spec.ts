import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';

/** Licenses that allow redistribution under Apache-2.0 with attribution as their only condition. */
const ALLOWED = ['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0'];

const repository = resolve(import.meta.dirname, '..');
const read = (file: string) => readFileSync(resolve(repository, file), 'utf8');

interface Locked {
  readonly license?: string;
  readonly dev?: boolean;
}

describe('the license', () => {
  it('of each installed dependency allows redistribution', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
    const installed = Object.entries(packages).filter(([folder, { dev }]) => folder !== '' && !dev);
    expect(installed.map(([folder]) => folder)).to.include('node_modules/@aws-sdk/client-sqs');
    for (const [folder, { license }] of installed) expect(license, folder).to.be.oneOf(ALLOWED);
  });

  it('of the package that is bundled into the status page ships with it', () => {
    expect(read('dist/page/LICENSE-uplot.txt')).to.match(/^The MIT License.*Copyright.*Leon Sorokin/s);
  });
});
