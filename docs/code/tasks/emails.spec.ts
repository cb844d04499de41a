import { expect } from 'chai';
import sinon from 'sinon';
import { runInline, TestContainer } from 'sqs-containers/test';
import { sendEmail } from './tasks/emails.ts';

describe('e-mail', () => {
  let printed: sinon.SinonStub;
  beforeEach(() => {
    printed = sinon.stub(console, 'log');
  });
  afterEach(() => sinon.restore());

  it('is sent by the container', async () => {
    const container = await TestContainer.start('docs/code/tasks/worker.ini');
    await sendEmail.delay({ to: 'ann@example.org', subject: 'Hello' });
    await container.idle();
    expect(printed.args).to.deep.equal([['Hello, to ann@example.org']]);
    expect(container.deleted).to.have.length(1); // see also container.kept, for messages that are retried
    await container.stop();
  });

  it('is sent immediately', async () => {
    const inline = runInline();
    await sendEmail.delay({ to: 'ann@example.org', subject: 'Hello' });
    expect(printed.args).to.deep.equal([['Hello, to ann@example.org']]);
    inline.stop();
  });
});
