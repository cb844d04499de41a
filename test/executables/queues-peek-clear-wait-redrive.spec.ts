import { expect } from 'chai';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { cleanUp, folderWith, putOff, run, start } from '../support/executable.ts';
import { type EmulatedSqs, emulateSqs, openIn } from '../support/executable-brokers.ts';
import { runQueues } from '../support/queues-command.ts';
import { postgres } from '../support/servers/postgres.ts';
import { redis } from '../support/servers/redis.ts';

const runExecutable = (args: readonly string[], { folder }: { folder: string }) =>
  run('queues', args, { folder });

let names = 0;

/** An unused queue name: a server may keep the queues of earlier runs. */
function freshName(): string {
  names += 1;
  return `tending-${Date.now().toString(36)}-${process.pid}-${names}`;
}

for (const [title, addressOf] of [
  ['sqlite', () => 'sqlite:queues.db'],
  ['SQS', (sqs: EmulatedSqs) => sqs.address],
  ['Postgres', () => postgres.addressInEnvironment()],
  ['Redis', () => redis.addressInEnvironment()],
] as const) {
  describe(`managing queues on ${title} with sqs-queues`, function () {
    this.timeout(30_000);
    afterEach(cleanUp);

    const sqs = emulateSqs();
    let address: string;
    let folder: string;
    let broker: Broker;
    let jobs: Queue;
    let dead: Queue;
    beforeEach(async function () {
      const given = addressOf(sqs);
      if (given === undefined) this.skip();
      address = given;
      folder = folderWith({});
      broker = await openIn(folder, address);
      const name = freshName();
      await broker.create(`${name}-dead`);
      await broker.create(name, { deadLetterQueue: { name: `${name}-dead`, maxReceives: 3 } });
      putOff(() => Promise.all([broker.remove(name), broker.remove(`${name}-dead`)]));
      jobs = await broker.open(name);
      dead = await broker.open(`${name}-dead`);
    });

    // The executable itself on one of them: a start takes most of the time.
    const runCommand = title === 'sqlite' ? runExecutable : runQueues;
    const queues = (...args: string[]) => runCommand([...args, '-b', address], { folder });

    it('shows the dead letters next to their queue', async () => {
      await dead.send([{ body: 'a' }, { body: 'b' }]);
      const { stdout, ended } = await queues('status', jobs.name, '--json');
      expect(ended).to.equal(0);
      expect(JSON.parse(stdout)).to.deep.equal([
        {
          queue: jobs.name,
          visible: 0,
          inFlight: 0,
          delayed: 0,
          deadLetters: { queue: dead.name, messages: 2 },
        },
      ]);
      const table = (await queues('status', jobs.name)).stdout;
      expect(table.split('\n')[1]).to.match(/\t2 in \S+-dead$/);
    });

    it('peeks at messages and leaves them visible', async () => {
      const attributes = { kind: { dataType: 'String', stringValue: 'mail' } };
      await dead.send([{ body: '[[1],{}]', attributes }, { body: 'two\nlines' }, { body: 'c' }]);
      const { stdout, stderr, ended } = await queues('peek', dead.name);
      expect({ stderr, ended }).to.deep.equal({ stderr: '', ended: 0 });
      for (const text of [
        '  kind: mail\n',
        '  [[1],{}]\n',
        '  "two\\nlines"\n',
        '  c\n',
        ' ago  received ',
      ]) {
        expect(stdout).to.contain(text);
      }
      const json = JSON.parse((await queues('peek', dead.name, '--count', '2', '--json')).stdout);
      expect(json).to.have.length(2);
      expect(json[0]).to.have.all.keys('id', 'body', 'receiveCount', 'sentAt', 'attributes');
      expect(await dead.counts()).to.deep.equal({ visible: 3, inFlight: 0, delayed: 0 });
    });

    it('does not bring a message nearer to the dead-letter queue unasked', async () => {
      await jobs.send([{ body: 'a' }]);
      const { stdout, stderr, ended } = await queues('peek', jobs.name);
      if (jobs.inspect?.peek) {
        expect(ended, stderr).to.equal(0);
      } else {
        expect({ stdout, ended }).to.deep.equal({ stdout: '', ended: 64 });
        expect(stderr).to.match(/by receiving it, and after 3 receives it goes to .*confirm with --yes/);
        expect((await queues('peek', jobs.name, '--yes')).stdout).to.contain(
          'Received 1 message and returned it to the queue. This counts as a receive.',
        );
      }
      const [message] = await jobs.receive({ max: 1, waitSeconds: 0 });
      expect(message?.receiveCount).to.equal(jobs.inspect?.peek ? 1 : 2);
    });

    it('clears queues, and reports how many messages it deleted and how many are in flight', async () => {
      await jobs.send([{ body: 'a' }, { body: 'b' }, { body: 'c', delaySeconds: 60 }]);
      await jobs.receive({ max: 1, waitSeconds: 0 });
      const refused = await queues('clear', jobs.name);
      expect({ stdout: refused.stdout, ended: refused.ended }).to.deep.equal({ stdout: '', ended: 64 });
      expect(refused.stderr).to.contain(`${jobs.name} has 3 messages, 1 of them in flight, 1 delayed.`);
      expect(await jobs.counts()).to.deep.equal({ visible: 1, inFlight: 1, delayed: 1 });
      const { stdout, ended } = await queues('clear', jobs.name, dead.name, '--yes');
      expect(ended).to.equal(0);
      expect(stdout).to.equal(
        `Deleted 3 messages from ${jobs.name}; 1 of them was in flight and may still be handled.\nDeleted 0 messages from ${dead.name}.\n`,
      );
      expect(await jobs.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    });

    it('clears nothing when one of the queues is missing', async () => {
      await jobs.send([{ body: 'a' }]);
      const { stderr, ended } = await queues('clear', jobs.name, 'missing-queue', '--yes');
      expect(ended).to.equal(69);
      expect(stderr).to.match(/^The queue "missing-queue" does not exist/);
      expect(await jobs.counts()).to.include({ visible: 1 });
    });

    it('waits until queues are empty, with a line for each change', async () => {
      await jobs.send([{ body: 'a' }]);
      const waiting = start('queues', ['wait', jobs.name, dead.name, '--every', '50ms', '-b', address], {
        folder,
      });
      await waiting.prints(new RegExp(`^${jobs.name} has 1 message$`));
      const [message] = await jobs.receive({ max: 1, waitSeconds: 0 });
      await waiting.prints(new RegExp(`^${jobs.name} has 1 message, 1 of them in flight$`));
      await jobs.delete([message!.receiptHandle]);
      expect(await waiting.exit()).to.equal(0);
      expect(waiting.stdout.match(new RegExp(`^${dead.name} has`, 'gm'))).to.have.length(1);
      expect(waiting.stdout).to.match(new RegExp(`^Empty: ${jobs.name}, ${dead.name}$`, 'm'));
    });

    it('gives up waiting after the timeout', async () => {
      await jobs.send([{ body: 'a' }]);
      const { stdout, stderr, ended } = await queues(
        'wait',
        jobs.name,
        '--every=50ms',
        '--timeout=100ms',
        '--json',
      );
      expect(ended).to.equal(75);
      const [, seconds] = /^Not empty after (\d+) s: \S+ has 1 message\n$/.exec(stderr) ?? [];
      expect(JSON.parse(stdout)).to.deep.equal({
        empty: false,
        seconds: Number(seconds),
        queues: [{ queue: jobs.name, visible: 1, inFlight: 0, delayed: 0 }],
      });
    });

    it('moves dead letters back, some or all, with their attributes', async () => {
      const attributes = { kind: { dataType: 'String', stringValue: 'mail' } };
      for (let number = 0; number < 12; number += 1) {
        await dead.send([{ body: `${number}`, ...(number < 2 && { attributes }) }]);
      }
      const to = ['--to', jobs.name];
      const tried = await queues('redrive', dead.name, ...to, '--dry-run', '--match', '1');
      expect(tried.stdout).to.equal(`Would move 3 of 12 messages from ${dead.name} to ${jobs.name}\n`);
      expect(await dead.counts()).to.include({ visible: 12, inFlight: 0 });
      const some = await queues('redrive', dead.name, ...to, '--attribute', 'kind=mail', '--match', '1');
      expect(some.stdout).to.equal(`Moved 1 of 12 messages from ${dead.name} to ${jobs.name}\n`);
      const [message] = await jobs.receive({ max: 1, waitSeconds: 0 });
      expect(message).to.deep.include({ body: '1', attributes, receiveCount: 1 });
      const all = await queues('redrive', dead.name, ...to, '--json');
      expect(JSON.parse(all.stdout)).to.deep.equal({
        from: dead.name,
        to: jobs.name,
        moved: 11,
        looked: 11,
        total: 11,
        failed: 0,
      });
      expect([await dead.counts(), await jobs.counts()]).to.deep.equal([
        { visible: 0, inFlight: 0, delayed: 0 },
        { visible: 11, inFlight: 1, delayed: 0 },
      ]);
    });

    it('knows where dead letters belong, or asks for the queue', async () => {
      await dead.send([{ body: 'a' }]);
      const { stdout, stderr, ended } = await queues('redrive', dead.name);
      if (title === 'SQS') {
        // The emulator does not tell.
        expect(ended).to.equal(64);
        expect(stderr).to.match(
          /Cannot tell which queue the messages in \S+ belong to: name it with --to QUEUE/,
        );
      } else {
        expect(stdout).to.equal(`Moved 1 of 1 message from ${dead.name} to ${jobs.name}\n`);
      }
      const itself = await queues('redrive', dead.name, '--to', dead.name);
      expect(itself.stderr).to.contain('to itself; name another queue');
    });
  });
}

describe('sqs-queues redrive with files', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  const ini = (queue: string) =>
    `[container]\nworker = ./w.mjs:w\nqueue = ${queue}\nqueue_prefix = anna\nbroker = sqlite:queues.db\ndead_letter_queue = failed\n`;

  async function made(folder: string): Promise<Broker> {
    const broker = await openIn(folder);
    for (const name of ['anna__jobs', 'anna__bulk', 'anna__failed']) await broker.create(name);
    return broker;
  }

  it('uses the queues of an ini file', async () => {
    const folder = folderWith({ 'one.ini': ini('jobs'), 'two.ini': ini('jobs, bulk') });
    const broker = await made(folder);
    await (await broker.open('anna__failed')).send([{ body: 'a' }]);
    const two = await runQueues(['redrive', '-c', 'two.ini'], { folder });
    expect(two.ended).to.equal(64);
    expect(two.stderr).to.contain('belong to several queues (anna__jobs, anna__bulk): choose one');
    const one = await runQueues(['redrive', '-c', 'one.ini'], { folder });
    expect(one.stdout).to.equal('Moved 1 of 1 message from anna__failed to anna__jobs\n');
  });

  it('sends the matching lines of a messages log', async () => {
    const log = '[["a"],{}]\n[["b"],{}]\n"\\ud800 b"\n';
    const folder = folderWith({ 'one.ini': ini('jobs'), 'messages.log': log });
    const broker = await made(folder);
    const args = ['redrive', '--from', 'messages.log', '--match', 'b', '-c', 'one.ini'];
    const tried = await runQueues([...args, '--dry-run'], { folder });
    expect(tried.stdout).to.equal('Would send 2 messages from messages.log to anna__jobs\n');
    const { stdout, stderr, ended } = await runQueues(args, { folder });
    expect(stdout).to.equal('Sent 1 of 2 messages from messages.log to anna__jobs\n');
    expect(stderr).to.match(/^Message 3 in messages\.log: /);
    expect(ended).to.equal(69);
    const [message] = await (await broker.open('anna__jobs')).receive({ max: 10, waitSeconds: 0 });
    expect(message?.body).to.equal('[["b"],{}]');
  });
});
