// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${} is what the environment fills in
// Any text as an ini file becomes settings that can be printed and read again, or an error with the mistakes and their lines.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { parseConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { describeConfig } from '../../src/config/describe.ts';
import { RUNS, survives, TIMEOUT_MS } from './runs.ts';
import { anyText, mutated } from './texts.ts';

const example = readFileSync('config.example.ini', 'utf8');
/** The example with all options uncommented. */
const full = example.replace(/^; (?=[a-z_]+ =)/gm, '');
const small =
  '[container]\nworker = ./adder.ts:adder\nqueue = adder*2, other\n[worker]\npassword = ${A:-b}\n';
const environment = { A: 'a', AWS_REGION: 'eu-west-1' };

describe('any ini file', function () {
  this.timeout(TIMEOUT_MS);

  it('becomes settings, or an error that lists its problems', () => {
    fc.assert(
      fc.property(fc.oneof(mutated(fc.constantFrom(small, small, example, full)), anyText), (text) => {
        survives(() => {
          try {
            const config = parseConfig(text, '/srv/worker.ini', environment);
            const printed = describeConfig(config);
            expect(() => parseConfig(printed, '/srv/worker.ini', {})).not.to.throw();
          } catch (error) {
            expect(error).to.be.instanceOf(ConfigError).with.property('problems').that.is.not.empty;
          }
        });
      }),
      RUNS,
    );
  });
});
