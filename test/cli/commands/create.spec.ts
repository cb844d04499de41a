import { expect } from 'chai';
import { describeCreated } from '../../../src/cli/commands/create.ts';

describe('the output of sqs-queues create', () => {
  for (const [existed, hasSettings, text] of [
    [false, true, 'Created queue jobs in SQS'],
    [false, false, 'Created queue jobs in SQS'],
    [true, true, 'Queue jobs exists in SQS; settings updated'],
    [true, false, 'Queue jobs exists in SQS'],
    [undefined, true, 'Created or updated queue jobs in SQS'],
  ] as const) {
    it(`is "${text}" if the queue ${existed === undefined ? 'may have existed' : existed ? 'existed' : 'is new'} ${hasSettings ? 'with' : 'without'} settings`, () => {
      expect(describeCreated('jobs', 'SQS', existed, hasSettings)).to.equal(text);
    });
  }
});
