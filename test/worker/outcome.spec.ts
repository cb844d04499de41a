import { expect } from 'chai';
import { isTransientError, TransientError } from '../../src/worker/errors.ts';
import { outcomeOf } from '../../src/worker/outcome.ts';

describe('what a thrown error means for the message', () => {
  it('is retry for a TransientError, whatever on_error is', () => {
    expect(outcomeOf(new TransientError(), { onError: 'delete' }, 1)).to.deep.equal({ action: 'retry' });
    expect(outcomeOf(new TransientError('busy'), { onError: 'retry' }, 1)).to.deep.equal({ action: 'retry' });
  });

  it("uses the delay of a TransientError in whole seconds, within SQS's limits", () => {
    const delayOf = (delay: number) =>
      outcomeOf(new TransientError('busy', { delay }), { onError: 'delete' }, 1);
    expect(delayOf(5)).to.deep.equal({ action: 'retry', delaySeconds: 5 });
    expect(delayOf(0)).to.deep.equal({ action: 'retry', delaySeconds: 0 });
    expect(delayOf(1.2)).to.deep.equal({ action: 'retry', delaySeconds: 2 });
    expect(delayOf(-1)).to.deep.equal({ action: 'retry', delaySeconds: 0 });
    expect(delayOf(1e9)).to.deep.equal({ action: 'retry', delaySeconds: 43_200 });
    expect(delayOf(Number.NaN)).to.deep.equal({ action: 'retry' });
  });

  it('is on_error for any other error', () => {
    for (const error of [new Error('no'), 'a string', undefined, null, 7]) {
      expect(outcomeOf(error, { onError: 'delete' }, 1)).to.deep.equal({ action: 'delete' });
      expect(outcomeOf(error, { onError: 'retry' }, 1)).to.deep.equal({ action: 'retry' });
      expect(outcomeOf(error, { onError: 'dead_letter' }, 1)).to.deep.equal({ action: 'bury' });
    }
  });

  it('uses the delay of the backoff for retries, unless the error has its own', () => {
    const policy = { onError: 'retry', backoff: (receiveCount: number) => 10 * receiveCount } as const;
    expect(outcomeOf(new Error('no'), policy, 3)).to.deep.equal({ action: 'retry', delaySeconds: 30 });
    expect(outcomeOf(new TransientError(), policy, 2)).to.deep.equal({ action: 'retry', delaySeconds: 20 });
    expect(outcomeOf(new TransientError({ delay: 1 }), policy, 2)).to.deep.equal({
      action: 'retry',
      delaySeconds: 1,
    });
  });
});

describe('TransientError', () => {
  it('accepts a message, options, or both', () => {
    expect(new TransientError('busy').message).to.equal('busy');
    expect(new TransientError({ delay: 5 }).delay).to.equal(5);
    const cause = new Error('why');
    const error = new TransientError('busy', { delay: 5, cause });
    expect([error.message, error.delay, error.cause]).to.deep.equal(['busy', 5, cause]);
  });

  it('is recognized if another copy of the package created it', () => {
    expect(isTransientError({ [Symbol.for('sqs-containers.TransientError')]: true })).to.equal(true);
    expect(isTransientError(new Error('no'))).to.equal(false);
  });
});
