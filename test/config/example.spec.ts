import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { keyOf } from '../../src/config/check.ts';
import { type Config, parseConfig, readConfig } from '../../src/config/config.ts';
import { containerOptions } from '../../src/config/options.ts';

const FILE = 'config.example.ini';
const text = readFileSync(FILE, 'utf8');

/** `;key = value` is an option that is commented out; a comment has a space after its `;`. */
const COMMENTED_OUT = /^;(?=\w+ = )/gm;

describe('config.example.ini', () => {
  const uncommented = (): Config => parseConfig(text.replace(COMMENTED_OUT, ''), FILE, {});

  it('is valid as it is', () => {
    expect(readConfig(FILE, {}).container.queue).to.deep.equal([{ name: 'adder', weight: 1 }]);
  });

  it('has every option of [container]', () => {
    for (const name of Object.keys(containerOptions.shape)) {
      expect(text).to.match(new RegExp(`^;?${keyOf(name)} = `, 'm'));
    }
  });

  it('is valid with every option uncommented', () => {
    expect(text.match(COMMENTED_OUT)).to.have.length.greaterThan(5);
    expect(Object.keys(uncommented().container)).to.have.members(Object.keys(containerOptions.shape));
  });

  it('comments out only defaults', () => {
    const { container, sqs, loggers } = readConfig(FILE, {});
    expect(uncommented().container).to.deep.include(container);
    expect(uncommented().sqs).to.deep.include(sqs);
    expect(uncommented().loggers).to.deep.equal(loggers);
  });
});
