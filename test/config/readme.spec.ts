import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { keyOf } from '../../src/config/check.ts';
import { parseConfig } from '../../src/config/config.ts';
import { containerOptions, httpOptions, rootLoggerOptions, sqsOptions } from '../../src/config/options.ts';

const text = readFileSync('README.md', 'utf8');

describe('README.md', () => {
  it('has only valid ini files', () => {
    const files = [...text.matchAll(/^```ini\n(.*?)^```/gms)]
      .map(([, file = '']) => file)
      .filter((file) => file.includes('[container]'));
    expect(files).to.have.length.greaterThan(2);
    for (const file of files) parseConfig(file, 'README.md', {});
  });

  it('has every option in its table', () => {
    const table = text.slice(text.indexOf('| section | key |')).split('\n\n', 1)[0] ?? '';
    for (const { shape } of [containerOptions, sqsOptions, httpOptions, rootLoggerOptions]) {
      for (const name of Object.keys(shape)) expect(table).to.contain(`\`${keyOf(name)}\``);
    }
  });
});
