// No matter what is wrong with an ini file, neither its problems nor the output of --check contain a secret.
import { expect } from 'chai';
import fc from 'fast-check';
import { parseConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { describeConfig } from '../../src/config/describe.ts';

/** Appears in these texts only as a secret. */
const SECRET = 'hunter2';

const word = fc.constantFrom('password', 'smtp_pass', 'API_KEY', 'token', 'client-secret', 'credentials');
const around = fc.stringMatching(/^[ -~]{0,6}$/);
const secret = fc.tuple(around, around).map(([before, after]) => `${before}${SECRET}${after}`);
/** Lines with a secret, valid and invalid. */
const line = fc
  .tuple(word, secret)
  .chain(([key, value]) =>
    fc.constantFrom(
      `${key} = ${value}`,
      `${key}=${JSON.stringify(value)}`,
      `${key} = '${value}'`,
      `${key}: ${value}`,
      `${key} ${value}`,
      `[worker] ${key} = ${value}`,
      `[${key} = ${value}`,
      `[${key} = ${value}]`,
      `x.${key}[] = ${value}`,
      `"${key}" = ${value}`,
      `export ${key}=${value}`,
      `database = postgres://me:${encodeURIComponent(value)}@host/db`,
      `database = postgres://host/db?${key}=${encodeURIComponent(value)}`,
    ),
  );
const elsewhere = fc.constantFrom(
  '[worker]',
  '[container]',
  '[sqs]',
  '[http]',
  '[logger]',
  '[nowhere]',
  'password = a',
  'poll = never',
  `broker = redis://me:${SECRET}@host/0`,
  `broker = redis://me:a/${SECRET}@host:x`,
  `broker = postgres://host/db?password=${SECRET}`,
  `endpoint = http://me:${SECRET}@host`,
);

describe('an ini file with secrets', () => {
  it('never shows them, whether it is valid or not', () => {
    const lines = fc.array(fc.oneof(line, elsewhere), { maxLength: 8 });
    const start = '[container]\nworker = ./adder.ts:adder\nqueue = adder\n';
    let right = 0;
    fc.assert(
      fc.property(lines, (lines) => {
        let shown: string;
        try {
          shown = describeConfig(parseConfig(start + lines.join('\n'), 'worker.ini', {}));
          right += 1;
        } catch (error) {
          expect(error).to.be.instanceOf(ConfigError);
          shown = `${(error as Error).message}\n${JSON.stringify(error)}`;
        }
        expect(shown).not.to.contain(SECRET);
      }),
      { numRuns: 1_000 },
    );
    expect(right).to.be.above(10);
  });
});
