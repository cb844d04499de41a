// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${} is what is filled in
import { expect } from 'chai';
import fc from 'fast-check';
import { substitute } from '../../src/config/substitution.ts';

const environment = { HOST: 'a', EMPTY: '', TRICKY: '${HOST} $& $1' };

describe('filling the environment into values', () => {
  const good: [string, string][] = [
    ['plain', 'plain'],
    ['${HOST}', 'a'],
    ['http://${HOST}:${PORT:-80}/', 'http://a:80/'],
    ['${HOST:-b}', 'a'],
    ['${EMPTY}', ''],
    ['${EMPTY:-b}', 'b'],
    ['${PORT:-}', ''],
    ['${PORT:-a b:-c}', 'a b:-c'],
    ['$${HOST}', '${HOST}'],
    ['$$${HOST}', '$${HOST}'],
    ['$${', '${'],
    ['$HOST $5 {HOST}', '$HOST $5 {HOST}'],
    ['${TRICKY}', '${HOST} $& $1'],
  ];
  for (const [written, value] of good) {
    it(`makes "${value}" of "${written}"`, () => {
      expect(substitute(written, environment)).to.deep.equal({ value, problems: [] });
    });
  }

  const isNone = 'is no variable; write ${NAME} or ${NAME:-default}, or $${ for ${ itself';
  const missing = (name: string) =>
    `the environment has no variable ${name}; set it, or give a default: \${${name}:-default}`;
  const bad: [string, string[]][] = [
    ['${PORT}', [missing('PORT')]],
    ['${PORT}${HOST}${NAME}', [missing('PORT'), missing('NAME')]],
    ['${}', [`\${} ${isNone}`]],
    ['${a-b}', [`\${a-b} ${isNone}`]],
    ['${1}', [`\${1} ${isNone}`]],
    ['${HOST', [`\${ ${isNone}`]],
    ['${PORT:-${HOST}}', [`\${ ${isNone}`]],
    ['${toString}', [missing('toString')]],
    ['${__proto__}', [missing('__proto__')]],
  ];
  for (const [written, problems] of bad) {
    it(`complains about "${written}"`, () => {
      expect(substitute(written, environment).problems).to.deep.equal(problems);
    });
  }

  it('takes any text from the environment as it is', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        (text) => substitute('<${X}>', { X: text }).value === `<${text}>`,
      ),
    );
  });

  it('gives any text back whose ${ are escaped', () => {
    const pieces = fc.array(fc.constantFrom('$', '{', '}', '${', 'HOST', ':-', 'x'));
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        expect(
          substitute(
            text.replaceAll('${', () => '$${'),
            environment,
          ),
        ).to.deep.equal({
          value: text,
          problems: [],
        });
      }),
    );
  });
});
