// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts contain literal ${}
import { expect } from 'chai';
import fc from 'fast-check';
import { parseConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { codePoint } from '../support/code-point.ts';

const MINIMAL = '[container]\nworker = ./adder.ts:adder\nqueue = adder\n';

describe('any text as an ini file', () => {
  const line = fc.oneof(
    fc.string({ unit: codePoint }),
    fc.constantFrom('[container]', '[worker]', '[sqs]', '[logger]', '[logger.a]', '[__proto__]', '', '['),
    fc
      .tuple(
        fc.constantFrom(
          'worker',
          'queue',
          'broker',
          'poll',
          'level',
          'path',
          'format',
          'region',
          '__proto__',
          'x[]',
        ),
        fc.oneof(
          fc.string({ unit: codePoint }),
          fc.constantFrom(
            '1',
            '5m',
            'a:b',
            'http://[',
            'sqlite:\0',
            '${A}',
            '${A:-',
            '{message}',
            '"\\',
            "'",
          ),
        ),
      )
      .map(([key, value]) => `${key} = ${value}`),
  );

  const outcome = (text: string) => {
    try {
      return parseConfig(text, 'worker.ini', { A: 'a' });
    } catch (error) {
      return error;
    }
  };

  it('is a config or a ConfigError with problems, never another error', () => {
    const lines = fc.array(line, { maxLength: 12 }).map((texts) => texts.join('\n'));
    fc.assert(
      fc.property(fc.constantFrom('', MINIMAL), lines, (start, rest) => {
        const result = outcome(start + rest);
        if (result instanceof ConfigError) expect(result.problems).to.not.deep.equal([]);
        else expect(result).to.have.property('container');
      }),
      { numRuns: 500 },
    );
  });
});
