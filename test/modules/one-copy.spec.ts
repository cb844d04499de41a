import { expect } from 'chai';
import { choose, isOwn } from '../../src/modules/one-copy.ts';

describe('with two copies of the package', () => {
  it('the running one is used for both if they have the same version', () => {
    expect(choose('0.1.2', '0.1.2')).to.equal('ours');
  });

  it('each is kept for its importers if they are compatible', () => {
    expect(choose('1.4.0', '1.2.3')).to.equal('theirs');
    expect(choose('0.1.2', '0.1.10')).to.equal('theirs');
  });

  it('neither is used if their major versions or, before 1.0, their minor versions differ', () => {
    expect(choose('0.2.0', '0.1.2')).to.equal('neither');
    expect(choose('0.1.2', '1.1.2')).to.equal('neither');
    expect(choose('2.0.0', '1.0.0')).to.equal('neither');
  });
});

describe('a module of the package', () => {
  it('is recognized by its name', () => {
    expect(['sqs-containers', 'sqs-containers/tasks'].map(isOwn)).to.deep.equal([true, true]);
    expect(['sqs-containers-extra', './sqs-containers', 'sqs'].map(isOwn)).to.deep.equal([
      false,
      false,
      false,
    ]);
  });
});
