import { expect } from 'chai';
import { BrokerConfigError } from '../../src/brokers/errors.ts';
import { isMistake } from '../../src/modules/mistake.ts';

const withCode = (code: string) => Object.assign(new Error('failed'), { code });

describe('an error from a factory', () => {
  it('is a mistake if it comes from the language, a validation, or loading', () => {
    const named = (name: string) => Object.assign(new Error('wrong'), { name });
    const mistakes = [
      new TypeError('config.url is undefined'),
      new ReferenceError('x is not defined'),
      new SyntaxError('Unexpected token'),
      new RangeError('out of range'),
      ...[
        'AssertionError',
        'ZodError',
        'ConfigError',
        'ModuleLoadError',
        'NoTasksError',
        'IncompatibleCopyError',
      ].map(named),
      new BrokerConfigError('There is no such broker'),
      withCode('ERR_MODULE_NOT_FOUND'),
      withCode('MODULE_NOT_FOUND'),
    ];
    for (const error of mistakes) expect(isMistake(error), String(error)).to.equal(true);
  });

  it('is not a mistake if it comes from the network, whatever it is wrapped in', () => {
    const codes =
      'ECONNREFUSED ECONNRESET ENOTFOUND ETIMEDOUT EHOSTUNREACH EAI_AGAIN ENETUNREACH EPIPE'.split(' ');
    for (const code of [...codes, 'UND_ERR_CONNECT_TIMEOUT']) {
      const error = withCode(code);
      const wrapped = [
        error,
        new TypeError('fetch failed', { cause: error }),
        new TypeError('deep', { cause: new TypeError('deeper', { cause: error }) }),
        Object.assign(new AggregateError([new TypeError('wrong'), error]), { name: 'TypeError' }),
      ];
      for (const one of wrapped) expect(isMistake(one), `${code}: ${one.message}`).to.equal(false);
    }
  });

  it('is not a mistake if its kind is unknown', () => {
    const circular = new TypeError('wrong');
    circular.cause = circular;
    expect(isMistake(circular)).to.equal(true);
    for (const error of [new Error('starting up'), withCode('57P03'), 'not yet', undefined, null]) {
      expect(isMistake(error), String(error)).to.equal(false);
    }
  });
});
