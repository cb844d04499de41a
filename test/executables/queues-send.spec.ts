import { expect } from 'chai';
import type { Message, Queue } from '../../src/brokers/broker.ts';
import { cleanUp, type Executable, folderWith, run, type StartOptions } from '../support/executable.ts';
import { emulateSqs, openIn, openQueue, settings } from '../support/executable-brokers.ts';
import { type Ran, runQueues } from '../support/queues-command.ts';

const SQLITE = ['-b', 'sqlite:queues.db'];

function send(args: readonly string[], { folder }: { folder: string }): Promise<Ran> {
  return runQueues(['send', ...args], { folder });
}

/** For standard input and the environment. */
function sendByExecutable(args: readonly string[], options: StartOptions): Promise<Executable> {
  return run('queues', ['send', ...args], options);
}

async function receive(queue: Queue): Promise<Message> {
  const [message] = await queue.receive({ max: 1, waitSeconds: 0 });
  if (!message) throw new Error('The queue has no message.');
  return message;
}

describe('sqs-queues send', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  const sqs = emulateSqs('jobs');

  it('sends its arguments as a call', async () => {
    const folder = folderWith({});
    const queue = await openQueue(folder);
    const args = ['jobs', '1', '"007"', 'two words', '--kw', 'x=3', ...SQLITE, '--', '--force'];
    const { stdout, stderr, ended } = await send(args, { folder });
    expect({ stderr, ended }).to.deep.equal({ stderr: '', ended: 0 });
    const message = await receive(queue);
    expect(message.body).to.equal('[[1,"007","two words","--force"],{"x":3}]');
    expect(stdout).to.equal(`Sent ${message.body} to jobs: ${message.id}\n`);
  });

  it('sends to SQS', async () => {
    const folder = folderWith({});
    const { stdout, ended } = await send(['jobs', '--json', '1', '-b', sqs.address], { folder });
    expect(ended).to.equal(0);
    const broker = await openIn(folder, sqs.address);
    const { id, body } = await receive(await broker.open('jobs'));
    expect(body).to.equal('[[1],{}]');
    expect(JSON.parse(stdout)).to.deep.equal([{ messageId: id, body }]);
  });

  it('finds the queue by -c, by -b and by SQS_CONTAINERS_BROKER', async () => {
    const folder = folderWith({ 'worker.ini': settings('worker') });
    const queue = await openQueue(folder);
    const environment = { SQS_CONTAINERS_BROKER: 'sqlite:queues.db' };
    const runs = await Promise.all([
      send(['jobs', '-c', 'worker.ini'], { folder }),
      send(['jobs', '--config=worker.ini'], { folder }),
      send(['jobs', '--broker', 'sqlite:queues.db'], { folder }),
      sendByExecutable(['jobs'], { folder, environment }),
      sendByExecutable(['jobs', '-b', 'sqlite:queues.db'], {
        folder,
        environment: { SQS_CONTAINERS_BROKER: 'memory:' },
      }),
    ]);
    expect(runs.map(({ ended }) => ended)).to.deep.equal([0, 0, 0, 0, 0]);
    expect(await queue.counts()).to.have.property('visible', 5);
  });

  it('sends with a delay', async () => {
    const folder = folderWith({});
    const queue = await openQueue(folder);
    await send(['jobs', '1', '--delay', '60', ...SQLITE], { folder });
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 1 });
  });

  it('sends to the message group given by --group', async () => {
    const folder = folderWith({});
    const queue = await openQueue(folder);
    await send(['jobs', '1', '--group', 'customer-7', ...SQLITE], { folder });
    expect(await receive(queue)).to.have.property('groupId', 'customer-7');
  });

  it('sends the bodies of a messages log from standard input', async () => {
    const folder = folderWith({});
    const queue = await openQueue(folder);
    const input = 'not a call\n"two\\nlines"\n\n[[1],{}]';
    const { stdout, ended } = await sendByExecutable(['jobs', '--from', '-', ...SQLITE], { folder, input });
    expect({ stdout, ended }).to.deep.equal({ stdout: 'Sent 3 of 3 messages to jobs\n', ended: 0 });
    const messages = await queue.receive({ max: 10, waitSeconds: 0 });
    expect(messages.map(({ body }) => body)).to.deep.equal(['not a call', 'two\nlines', '[[1],{}]']);
  });

  it('reports the messages in a log that could not be sent, and sends the others', async () => {
    const folder = folderWith({ 'messages.log': '[[1],{}]\n"\\ud800"\n[[3],{}]\n' });
    const queue = await openQueue(folder);
    const { stdout, stderr, ended } = await send(['jobs', '--from', 'messages.log', ...SQLITE], { folder });
    expect(ended).to.equal(69);
    expect(stdout).to.equal('Sent 2 of 3 messages to jobs\n');
    expect(stderr).to.match(/^Message 2 in messages\.log: .*surrogate/);
    expect(await queue.counts()).to.have.property('visible', 2);
  });

  it('reports unreadable files and invalid arguments as invalid usage', async () => {
    const folder = folderWith({});
    const [unreadable, unsafe] = await Promise.all([
      send(['jobs', '--from', 'missing.log', ...SQLITE], { folder }),
      send(['jobs', '[{"__proto__":1}]', ...SQLITE], { folder }),
    ]);
    expect([unreadable.ended, unsafe.ended]).to.deep.equal([64, 64]);
    expect(unreadable.stderr).to.contain('Cannot read missing.log');
    expect(unsafe.stderr).to.contain('argument 1[0] has the key "__proto__"');
  });

  it('reports why a broker refuses a message', async () => {
    const folder = folderWith({});
    const [late, unknown, missing] = await Promise.all([
      send(['jobs', '--delay', '31536001', ...SQLITE], { folder }),
      send(['jobs', '-b', 'carrier-pigeon'], { folder }),
      sendByExecutable(['missing-jobs', '-b', sqs.address], { folder }),
    ]);
    expect([late.ended, unknown.ended, missing.ended]).to.deep.equal([69, 78, 69]);
    expect(late.stderr).to.match(/delay of 31536001 s/);
    expect(unknown.stderr).to.match(/Unknown broker "carrier-pigeon"\. Valid broker addresses: sqs, /);
    expect(missing.stderr).to.match(/The queue "missing-jobs" does not exist in SQS in region us-east-1/);
  });

  it('refuses an invalid or missing ini file', async () => {
    const folder = folderWith({ 'worker.ini': settings('worker', 'pol = 3\n') });
    const [wrong, missing] = await Promise.all([
      send(['jobs', '-c', 'worker.ini'], { folder }),
      send(['jobs', '-c', 'missing.ini'], { folder }),
    ]);
    expect([wrong.ended, missing.ended]).to.deep.equal([78, 78]);
    expect(wrong.stderr).to.match(/^worker\.ini:5: \[container\] pol: /);
    expect(missing.stderr).to.match(/^missing\.ini: the file does not exist/);
  });
});
