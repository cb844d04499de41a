import { expect } from 'chai';
import { Retry, TransientError } from '../../src/index.ts';
import { failureOf } from '../../src/tasks/retry.ts';
import { noBackoff } from '../../src/worker/backoff.ts';
import { FailedAttempt } from '../../src/worker/errors.ts';

describe('what a failed handler means', () => {
  const backoff = (receiveCount: number) => 100 * receiveCount;
  const cause = new Error('ECONNREFUSED');

  it('is a failed attempt, with the error as its cause', () => {
    expect(failureOf(cause, 3, backoff))
      .to.be.instanceOf(FailedAttempt)
      .and.include({ delay: 300, cause });
  });

  it('is not a failure for a Retry, whose own backoff comes first', () => {
    const own = failureOf(new Retry('busy', { backoff: () => 7, cause }), 3, backoff);
    expect(own).to.be.instanceOf(TransientError).and.include({ message: 'busy', delay: 7, cause });
    expect(failureOf(new Retry(), 3, backoff)).to.include({ delay: 300 });
  });

  it('is not a failure for a TransientError, whose own delay comes first', () => {
    const own = failureOf(new TransientError('busy', { delay: 0, cause }), 3, backoff);
    expect(own).to.be.instanceOf(TransientError).and.include({ message: 'busy', delay: 0, cause });
    expect(failureOf(new TransientError(), 3, backoff)).to.include({ delay: 300 });
  });

  it('has no delay without a backoff: the message is retried when its visibility timeout ends', () => {
    for (const error of [cause, new Retry(), new TransientError()]) {
      expect(failureOf(error, 3, noBackoff)).to.include({ delay: undefined });
    }
  });
});
