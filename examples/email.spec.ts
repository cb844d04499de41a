// How to test a worker that talks to a server: a fake server on a real port; everything else is as in production.
import { expect } from 'chai';
import sinon from 'sinon';
import { queue } from 'sqs-containers';
import { TestContainer } from 'sqs-containers/test';
import { mailer } from './email.ts';
import { FakeMailServer } from './fake-mail-server.ts';
import type { Mail } from './smtp.ts';

const sendMail = queue<[Mail]>('emails');
const mail = { to: 'ann@example.org', subject: 'Your order', text: 'It is on its way.\n.\nThank you!' };

describe('the e-mail sender', () => {
  let server: FakeMailServer;
  let port: string;
  let container: TestContainer;
  let clock: sinon.SinonFakeTimers;

  beforeEach(async () => {
    // Fake only the clock: sockets need the real process.nextTick.
    clock = sinon.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
    server = new FakeMailServer();
    port = String(await server.start());
    // email.ini takes these from the environment.
    sinon.stub(process, 'env').value({ ...process.env, SMTP_HOST: '127.0.0.1', SMTP_PORT: port });
    container = await TestContainer.start('examples/email.ini');
  });
  afterEach(async () => {
    await container.stop();
    await server.stop();
    sinon.restore();
  });

  it('sends', async () => {
    await sendMail(mail);
    await container.idle();

    expect(server.mails).to.deep.equal([
      'From: shop@example.org\nTo: ann@example.org\nSubject: Your order\n\nIt is on its way.\n..\nThank you!',
    ]);
    expect(container.deleted).to.have.length(1);
  });

  it('retries after a growing delay when the server refuses for now', async () => {
    server.answer = '450 mailbox busy';
    await sendMail(mail);
    await container.idle();
    await clock.tickAsync('00:30');
    await container.idle();
    expect(container.kept.map(({ receiveCount }) => receiveCount)).to.deep.equal([1, 2]);
    expect(String(container.kept[1]?.error)).to.include('450 mailbox busy');

    server.answer = '250 fine';
    await clock.tickAsync('00:59');
    await container.idle();
    expect(server.mails).to.have.length(0);
    await clock.tickAsync('00:01');
    await container.idle();
    expect(server.mails).to.have.length(1);
  });

  it('gives up on an address that the server refuses', async () => {
    server.answer = '550 no such user';
    await sendMail(mail);
    await container.idle();

    expect(String(container.failed[0]?.error)).to.equal('SmtpError: 550 no such user');
    expect(container.messagesLog).to.deep.equal([JSON.stringify([[], mail])]);
  });

  it('retries when the server hangs up, and when it is down', async () => {
    server.answer = 'hang up';
    await sendMail(mail);
    await container.idle();
    expect(String(container.kept[0]?.error)).to.include('closed');

    await server.stop();
    await clock.tickAsync('00:30');
    await container.idle();
    expect(String(container.kept[1]?.error)).to.include('ECONNREFUSED');
  });

  it('does not wait forever for a silent server', async () => {
    await container.stop();
    container = await TestContainer.start({
      queue: 'emails',
      worker: mailer,
      config: { port, patience: '0.02', sender: 'shop@example.org' },
    });
    server.answer = 'silence';
    await sendMail(mail);
    await container.idle();

    expect(String(container.kept[0]?.error)).to.include('silent for 20 ms');
  });

  it('stops waiting when the container stops', async () => {
    server.answer = 'silence';
    await sendMail(mail);
    await new Promise((resolve) => setImmediate(resolve));
    await container.stop();

    expect(container.kept).to.have.length(1);
  });

  it('does not let a mail inject SMTP commands', async () => {
    await sendMail({ ...mail, to: 'ann@example.org>\r\nRCPT TO:<eve@example.org' });
    await container.idle();

    expect(container.failed).to.have.length(1);
    expect(server.mails).to.have.length(0);
  });
});
