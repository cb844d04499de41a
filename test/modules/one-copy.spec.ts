import { expect } from 'chai';
import { choose, isOwn } from '../../src/modules/one-copy.ts';

describe('of two copies of the package', () => {
  it('the one that runs serves for both if they are of the same version', () => {
    expect(choose('0.1.2', '0.1.2')).to.equal('ours');
  });

  it('each serves who imports it if they work together', () => {
    expect(choose('1.4.0', '1.2.3')).to.equal('theirs');
    expect(choose('0.1.2', '0.1.10')).to.equal('theirs');
  });

  it('neither serves if they are of another major version or, before 1.0, of another minor one', () => {
    expect(choose('0.2.0', '0.1.2')).to.equal('neither');
    expect(choose('0.1.2', '1.1.2')).to.equal('neither');
    expect(choose('2.0.0', '1.0.0')).to.equal('neither');
  });
});

describe('a module of the package', () => {
  it('is told by its name', () => {
    expect(['sqs-containers', 'sqs-containers/tasks'].map(isOwn)).to.deep.equal([true, true]);
    expect(['sqs-containers-extra', './sqs-containers', 'sqs'].map(isOwn)).to.deep.equal([
      false,
      false,
      false,
    ]);
  });
});
