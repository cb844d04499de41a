import { expect } from 'chai';
import { rate } from '../../src/cli/option-values.ts';

describe('the option values of sqs-queues', () => {
  it('can be rates per second, up to per month', () => {
    const rates = ['50/s', '60/min', '7200/h', '86400/day', '2.628e6/month'].map((text) =>
      rate('rate', text),
    );
    expect(rates).to.deep.equal([50, 1, 2, 1, 1]);
  });
});
