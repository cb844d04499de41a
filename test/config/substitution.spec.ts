// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts contain literal ${}
import { expect } from 'chai';
import fc from 'fast-check';
import { substitute } from '../../src/config/substitution.ts';

const environment = { HOST: 'a', EMPTY: '', TRICKY: '${HOST} $& $1' };

describe('substituting environment variables', () => {
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
    it(`turns "${written}" into "${value}"`, () => {
      expect(substitute(written, environment)).to.deep.equal({ value, problems: [] });
    });
  }

  const isNone = 'is not a variable; write ${NAME} or ${NAME:-default}, or $${ for ${ itself';
  const missing = (name: string) =>
    `the environment variable ${name} is not set; set it, or give a default: \${${name}:-default}`;
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

  it('inserts any text from the environment unchanged', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        (text) => substitute('<${X}>', { X: text }).value === `<${text}>`,
      ),
    );
  });

  it('leaves any text unchanged whose ${ are escaped', () => {
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
