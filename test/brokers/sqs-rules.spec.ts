import { expect } from 'chai';
import { standing } from '../../src/brokers/rules/sqs-rules.ts';

describe('the standing of a visible message', () => {
  const now = Date.UTC(2026, 0, 1);
  const message = { sentAt: now - 60_000, receiveCount: 3 };

  it('is receivable without limits', () => {
    expect(standing({ sentAt: 0, receiveCount: 1_000 }, {}, now)).to.equal('receivable');
  });

  it('is expired as soon as the retention period ends', () => {
    expect(standing(message, { retentionSeconds: 61 }, now)).to.equal('receivable');
    expect(standing(message, { retentionSeconds: 60 }, now)).to.equal('expired');
  });

  it('is exhausted after the maximum number of receives', () => {
    expect(standing(message, { maxReceives: 4 }, now)).to.equal('receivable');
    expect(standing(message, { maxReceives: 3 }, now)).to.equal('exhausted');
  });

  it('is expired rather than exhausted, so that a dead-letter queue gets no expired messages', () => {
    expect(standing(message, { retentionSeconds: 60, maxReceives: 3 }, now)).to.equal('expired');
  });
});
