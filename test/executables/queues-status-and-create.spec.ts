import { expect } from 'chai';
import type { Broker } from '../../src/brokers/broker.ts';
import { cleanUp, folderWith } from '../support/executable.ts';
import { type EmulatedSqs, emulateSqs, openIn, settings } from '../support/executable-brokers.ts';
import { runQueues } from '../support/queues-command.ts';

for (const [title, addressOf] of [
  ['sqlite', () => 'sqlite:queues.db'],
  ['SQS', (sqs: EmulatedSqs) => sqs.address],
] as const) {
  describe(`sqs-queues on ${title}`, function () {
    this.timeout(30_000);
    afterEach(cleanUp);

    const sqs = emulateSqs();
    let address: string;
    let folder: string;
    let broker: Broker;
    beforeEach(async () => {
      address = addressOf(sqs);
      folder = folderWith({ 'worker.ini': settings('worker').replace('sqlite:queues.db', address) });
      broker = await openIn(folder, address);
      for (const name of await broker.list()) await broker.remove(name);
      await broker.create('jobs');
      await broker.create('other');
      const jobs = await broker.open('jobs');
      await jobs.send([{ body: 'a' }, { body: 'b' }, { body: 'c', delaySeconds: 60 }]);
      await jobs.receive({ max: 1, waitSeconds: 0 });
    });

    const queues = (...args: string[]) => runQueues([...args, '-b', address], { folder });
    const head = 'queue\tvisible\tin flight\tdelayed\toldest\tdead letters\n';
    const withoutAge = (table: string) => table.replace(/\t\d+ s\t/g, '\tAGE\t');

    it('counts the messages in one queue, in several, and in all', async () => {
      const [one, several, all, configured, json] = await Promise.all([
        queues('status', 'jobs'),
        queues('status', 'other', 'jobs'),
        queues('status'),
        runQueues(['status', '-c', 'worker.ini'], { folder }),
        queues('status', '--json'),
      ]);
      // SQS does not tell how old messages are.
      const age = title === 'SQS' ? '' : 'AGE';
      expect(withoutAge(one.stdout)).to.equal(`${head}jobs\t1\t1\t1\t${age}\t\n`);
      expect(withoutAge(several.stdout)).to.equal(`${head}other\t0\t0\t0\t\t\njobs\t1\t1\t1\t${age}\t\n`);
      expect(withoutAge(all.stdout)).to.equal(`${head}jobs\t1\t1\t1\t${age}\t\nother\t0\t0\t0\t\t\n`);
      expect(withoutAge(configured.stdout)).to.equal(withoutAge(one.stdout));
      const [jobs, other] = JSON.parse(json.stdout);
      if (title !== 'SQS') expect(jobs.oldestSentAt).to.be.closeTo(Date.now(), 20_000);
      delete jobs.oldestSentAt;
      expect([jobs, other]).to.deep.equal([
        { queue: 'jobs', visible: 1, inFlight: 1, delayed: 1 },
        { queue: 'other', visible: 0, inFlight: 0, delayed: 0 },
      ]);
      expect([one, several, all, configured, json].map(({ ended }) => ended)).to.deep.equal([0, 0, 0, 0, 0]);
    });

    it('does not create a missing queue', async () => {
      const { stdout, stderr, ended } = await queues('status', 'jobs', 'missing');
      expect({ stdout, ended }).to.deep.equal({ stdout: '', ended: 69 });
      expect(stderr).to.match(
        /^The queue "missing" does not exist in .*\. Create it: sqs-queues create missing\n$/,
      );
      expect(await broker.list()).to.deep.equal(['jobs', 'other']);
    });

    it('creates a queue with its settings, and updates only the given settings', async () => {
      const made = await queues(
        'create',
        'fast',
        '--visibility-timeout',
        '5',
        '--delay',
        '60',
        '--retention',
        '3600',
      );
      expect(made.ended, made.stderr).to.equal(0);
      expect(made.stdout).to.match(/^Created queue fast in (SQS|sqlite)/);
      const changed = await queues('create', 'fast', '--visibility-timeout', '7', '--json');
      expect(JSON.parse(changed.stdout)).to.deep.equal({ queue: 'fast' });
      const again = await queues('create', 'fast', '--visibility-timeout', '7');
      expect(again.stdout).to.match(/^Queue fast exists in (SQS|sqlite).*; settings updated\n$/);
      const fast = await broker.open('fast');
      expect(fast).to.include({ visibilityTimeout: 7, fifo: false });
      await fast.send([{ body: 'a' }]);
      expect(await fast.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 1 });
    });

    it('creates FIFO queues, which can drop duplicate bodies', async () => {
      await Promise.all([
        queues('create', 'all.fifo'),
        queues('create', 'once.fifo', '--content-based-deduplication'),
      ]);
      for (const [name, contentBasedDeduplication, visible] of [
        ['all.fifo', false, 2],
        ['once.fifo', true, 1],
      ] as const) {
        const queue = await broker.open(name);
        expect(queue).to.include({ fifo: true, contentBasedDeduplication });
        await Promise.all([queues('send', name, '1'), queues('send', name, '1', '--group', 'g')]);
        expect(await queue.counts()).to.include({ visible });
      }
    });

    it('creates a queue with a dead-letter queue', async () => {
      await queues('create', 'dead');
      const made = await queues('create', 'work', '--dead-letter-queue', 'dead', '--max-receives', '1');
      expect(made.ended, made.stderr).to.equal(0);
      const work = await broker.open('work');
      await work.send([{ body: 'a' }]);
      await work.receive({ max: 1, waitSeconds: 0, visibilityTimeout: 0 });
      await work.receive({ max: 1, waitSeconds: 0 });
      expect(await (await broker.open('dead')).counts()).to.have.property('visible', 1);
    });

    it('reports why it cannot create a queue', async () => {
      const [setting, deadLetterQueue] = await Promise.all([
        queues('create', 'work', '--visibility-timeout', '43201'),
        queues('create', 'work', '--dead-letter-queue', 'missing', '--max-receives', '3'),
      ]);
      expect([setting.ended, deadLetterQueue.ended]).to.deep.equal([69, 69]);
      expect(setting.stderr).to.match(/43,?200|VisibilityTimeout/);
      expect(deadLetterQueue.stderr).to.match(/^The queue "missing" does not exist/m);
      expect(await broker.list()).to.deep.equal(['jobs', 'other']);
    });
  });
}
