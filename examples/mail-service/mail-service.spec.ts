// How to test tasks: the test container runs the service from its own ini file, on queues in memory.
import { expect } from 'chai';
import sinon from 'sinon';
import { TaskInputError } from 'sqs-containers';
import { worker } from 'sqs-containers/tasks';
import { TestContainer } from 'sqs-containers/test';
import { FakeMailServer } from '../fake-mail-server.ts';
import { publish, signUp } from './application.ts';
import { welcome } from './tasks/mails.ts';
import { notify } from './tasks/newsletters.ts';

describe('the mail service', () => {
  let server: FakeMailServer;
  let container: TestContainer;
  let clock: sinon.SinonFakeTimers;
  let printed: sinon.SinonStub;

  beforeEach(async () => {
    // Fake only the clock: sockets need the real process.nextTick.
    clock = sinon.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
    printed = sinon.stub(console, 'log');
    server = new FakeMailServer();
    const port = await server.start();
    sinon.stub(process, 'env').value({ ...process.env, SMTP_PORT: String(port) });
    container = await TestContainer.start('examples/mail-service/worker.ini');
  });
  afterEach(async () => {
    await container.stop();
    await server.stop();
    sinon.restore();
  });

  const subjects = () =>
    server.mails.map((mail) => /To: (.*)\nSubject: (.*)/.exec(mail)?.slice(1).join(': '));

  it('welcomes a new user, and sends the newsletter ten minutes later', async () => {
    await signUp('ann@example.org', 'Ann', 'request-1');
    await container.idle();
    expect(subjects()).to.deep.equal(['ann@example.org: Welcome, Ann!']);

    await clock.tickAsync('10:00');
    await container.idle();
    expect(subjects()[1]).to.equal('ann@example.org: News of November');
    expect(printed.args.flat().map((line: string) => line.replace(/\d+ ms/, '… ms'))).to.deep.equal([
      'mails.welcome took … ms, for the request request-1',
      'newsletters.issue took … ms, for the request request-1',
    ]);
  });

  it('retries when the mail server refuses for now', async () => {
    server.answer = '450 mailbox busy';
    await welcome.delay({ to: 'ann@example.org', name: 'Ann' });
    await container.idle();
    expect(container.kept[0]?.error).to.have.property(
      'message',
      'No mail to ann@example.org for now: 450 mailbox busy',
    );

    server.answer = '250 fine';
    await clock.tickAsync('02:00');
    await container.idle();
    expect(subjects()).to.deep.equal(['ann@example.org: Welcome, Ann!']);
  });

  it('keeps messages whose mail the server refuses, for the dead-letter queue', async () => {
    server.answer = '550 no such user';
    await welcome.delay({ to: 'ann@example.org', name: 'Ann' });
    await container.idle();
    expect(String(container.kept[0]?.error)).to.equal('SmtpError: 550 no such user');
  });

  it('does not send a welcome with an invalid address or name', async () => {
    const error: unknown = await welcome.delay({ to: 'ann', name: ' ' }).catch((thrown) => thrown);
    expect(error).to.be.instanceOf(TaskInputError).with.property('issues').with.length(2);
  });

  it('sends the newsletter to all readers', async () => {
    await publish(['ann@example.org', 'bob@example.org']);
    await container.idle();
    expect(subjects()).to.deep.equal([
      'ann@example.org: News of November',
      'bob@example.org: News of November',
    ]);
  });

  it('puts notices to a reader into one mail', async () => {
    // Batches need a container that runs many messages at once.
    await container.stop();
    const config = { modules: './examples/mail-service/tasks/*.ts' };
    container = await TestContainer.start({ queue: 'newsletters', worker, config, concurrency: 20 });
    const notices = ['ann', 'bob', 'ann'].map((name, number) => ({
      to: `${name}@example.org`,
      text: `notice ${number}`,
    }));
    for (const notice of notices) await notify.delay(notice);
    const idle = container.idle();
    await clock.tickAsync('00:05');
    await idle;
    expect(subjects()).to.deep.equal(['ann@example.org: 2 news for you', 'bob@example.org: 1 news for you']);
  });
});
