// How to test code that sends tasks: inline, tasks run immediately, so a spec sees their effect and nothing else.
import { expect } from 'chai';
import sinon from 'sinon';
import { type Inline, runInline } from 'sqs-containers/test';
import { FakeMailServer } from '../fake-mail-server.ts';
import { publish, signUp } from './application.ts';

describe('the application of the mail service', () => {
  let server: FakeMailServer;
  let inline: Inline;

  beforeEach(async () => {
    sinon.stub(console, 'log');
    server = new FakeMailServer();
    const port = await server.start();
    sinon.stub(process, 'env').value({ ...process.env, SMTP_PORT: String(port) });
    inline = runInline();
  });
  afterEach(async () => {
    inline.stop();
    await server.stop();
    sinon.restore();
  });

  it('welcomes a new user', async () => {
    await signUp('ann@example.org', 'Ann');
    expect(server.mails[0]).to.contain('Subject: Welcome, Ann!');
    expect(inline.handled).to.have.length(2);
  });

  it('gets the error when a mail cannot be sent', async () => {
    server.answer = '550 no such user';
    const error: unknown = await signUp('ann@example.org', 'Ann').catch((thrown) => thrown);
    expect(String(error)).to.equal('SmtpError: 550 no such user');
  });

  it('publishes newsletters', async () => {
    await publish(['ann@example.org', 'bob@example.org']);
    expect(server.mails).to.have.length(2);
  });
});
