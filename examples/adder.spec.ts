// How to test a worker without AWS: the test container starts from the same ini file as production.
import { expect } from 'chai';
import sinon from 'sinon';
import { queue } from 'sqs-containers';
import { TestContainer } from 'sqs-containers/test';

const adder = queue<[number, number, number | 'later']>('adder');

describe('the adder', () => {
  let container: TestContainer;
  let clock: sinon.SinonFakeTimers;
  let printed: sinon.SinonStub;

  beforeEach(async () => {
    clock = sinon.useFakeTimers();
    printed = sinon.stub(console, 'log');
    container = await TestContainer.start('config.example.ini');
  });
  afterEach(async () => {
    await container.stop();
    sinon.restore();
  });

  it('adds', async () => {
    const sent = await adder(1, 2, 3);
    await container.idle();

    expect(sent.body).to.equal('[[1,2,3],{}]');
    expect(printed.args).to.deep.equal([['1 * (1 + 2 + 3) = 6']]);
    expect(container.deleted.map(({ messageId }) => messageId)).to.deep.equal([sent.messageId]);
  });

  it('keeps messages that cannot be handled now, and retries them when the visibility timeout ends', async () => {
    await adder(1, 2, 'later');
    await container.idle();
    expect(container.kept).to.have.length(1);

    await clock.tickAsync('00:30');
    await container.idle();
    expect(container.kept.map(({ receiveCount }) => receiveCount)).to.deep.equal([1, 2]);
  });

  it('fails on a message that is not a call, and does not retry it', async () => {
    await container.send('adder', 'hello');
    await container.idle();

    expect(container.failed[0]?.error).to.have.property('message', 'The body is not JSON: "hello"');
    expect(container.messagesLog).to.deep.equal(['hello']);
  });
});
