import { expect } from 'chai';
import sinon from 'sinon';
import { queue } from 'sqs-containers';
import { TestContainer } from 'sqs-containers/test';

describe('the adder', () => {
  let container: TestContainer;
  let printed: sinon.SinonStub;
  const adder = queue('adder');

  beforeEach(async () => {
    printed = sinon.stub(console, 'log');
    container = await TestContainer.start('docs/moving/code/zc-sqs/worker.ini');
  });
  afterEach(async () => {
    await container.stop();
    sinon.restore();
  });

  it('adds', async () => {
    await adder(1, 2, 3);
    await container.idle();
    expect(printed.args).to.deep.equal([[12]]);
    expect(container.deleted).to.have.length(1);
  });

  it('keeps messages that cannot be handled yet', async () => {
    await adder(1, 2, 'later');
    await container.idle();
    expect(container.kept).to.have.length(1);
  });
});
