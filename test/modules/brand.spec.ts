import { expect } from 'chai';
import * as exported from '../../src/index.ts';
import { brand } from '../../src/modules/brand.ts';

/** The same class from another copy of the package. */
function otherCopy() {
  class Refusal extends Error {
    static {
      brand(Refusal, 'Refusal');
    }
  }
  return Refusal;
}

describe('a branded error', () => {
  const Refusal = otherCopy();

  it('is an instance of the class from every copy of the package', () => {
    expect(new Refusal()).to.be.instanceOf(otherCopy());
    expect(new Refusal()).to.be.instanceOf(Error);
  });

  it('is not an instance of another class', () => {
    expect(new exported.TransientError()).not.to.be.instanceOf(Refusal);
    for (const other of [new Error('no'), {}, undefined, null, 'Refusal']) {
      expect(other instanceof Refusal).to.equal(false);
    }
  });

  it('is not an instance of a subclass, which has its own instanceof', () => {
    class Polite extends Refusal {}
    expect(new Refusal()).not.to.be.instanceOf(Polite);
    expect(new Polite()).to.be.instanceOf(Polite).and.instanceOf(otherCopy());
  });

  it('includes every error that the package exports', () => {
    const errors = Object.values(exported).filter(
      (value): value is typeof exported.Retry =>
        typeof value === 'function' && value.prototype instanceof Error,
    );
    expect(errors).to.have.length(11);
    for (const error of errors) {
      expect(Object.hasOwn(error, Symbol.hasInstance), error.name).to.equal(true);
    }
  });
});
