import { expect } from 'chai';
import type { Broker } from '../../src/brokers/broker.ts';
import { cleanUp, folderWith } from '../support/executable.ts';
import { openIn } from '../support/executable-brokers.ts';
import { runQueues } from '../support/queues-command.ts';

const INI = `[container]
worker = ./worker.mjs:worker
queue = urgent*3, bulk.fifo
queue_prefix = anna
broker = sqlite:queues.db
dead_letter_queue = failed
`;

describe('sqs-queues with an ini file that has a queue_prefix', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  let folder: string;
  let broker: Broker;
  beforeEach(async () => {
    folder = folderWith({ 'worker.ini': INI });
    broker = await openIn(folder);
  });

  const queues = (...args: string[]) => runQueues([...args, '-c', 'worker.ini'], { folder });
  const head = 'queue\tvisible\tin flight\tdelayed\toldest\tdead letters\n';
  const withoutAge = (table: string) => table.replace(/\t\d+ s\t/g, '\tAGE\t');

  it('shows all of its queues and the dead-letter queue', async () => {
    for (const name of ['anna__urgent', 'anna__bulk.fifo', 'anna__failed', 'urgent'])
      await broker.create(name);
    await (await broker.open('anna__failed')).send([{ body: 'a' }]);
    const { stdout, stderr, ended } = await queues('status');
    expect(ended, stderr).to.equal(0);
    const letters = '\t0\t0\t0\t\t1 in anna__failed\n';
    expect(withoutAge(stdout)).to.equal(
      `${head}anna__urgent${letters}anna__bulk.fifo${letters}anna__failed\t1\t0\t0\tAGE\t\n`,
    );
  });

  it('shows queues that no container has opened yet as empty, and creates none of them', async () => {
    await broker.create('anna__failed');
    const { stdout, stderr, ended } = await queues('status');
    expect(ended, stderr).to.equal(0);
    const letters = '\t0\t0\t0\t\t0 in anna__failed\n';
    expect(stdout).to.equal(
      `${head}anna__urgent${letters}anna__bulk.fifo${letters}anna__failed\t0\t0\t0\t\t\n`,
    );
    expect((await queues('status', 'urgent')).stdout).to.equal(`${head}anna__urgent${letters}`);
    expect(await broker.list()).to.deep.equal(['anna__failed']);
  });

  it('does not show a missing queue as empty unless it is in the ini file', async () => {
    const { stdout, stderr, ended } = await queues('status', 'urgnet');
    expect({ stdout, ended }).to.deep.equal({ stdout: '', ended: 69 });
    expect(stderr).to.contain('The queue "anna__urgnet" does not exist');
  });

  it('puts the prefix before the given names', async () => {
    const runs = [
      await queues('create', 'failed'),
      await queues('create', 'urgent', '--dead-letter-queue', 'failed', '--max-receives', '1'),
      await queues('send', 'urgent', '1'),
    ];
    expect(runs.map(({ ended }) => ended)).to.deep.equal([0, 0, 0]);
    expect(runs[1]?.stdout).to.match(/^Created queue anna__urgent in sqlite/);
    expect(runs[2]?.stdout).to.match(/^Sent \[\[1\],\{\}\] to anna__urgent: /);
    const { stdout } = await queues('status', 'urgent');
    expect(withoutAge(stdout)).to.equal(`${head}anna__urgent\t1\t0\t0\tAGE\t0 in anna__failed\n`);

    const urgent = await broker.open('anna__urgent');
    await urgent.receive({ max: 1, waitSeconds: 0, visibilityTimeout: 0 });
    await urgent.receive({ max: 1, waitSeconds: 0 });
    expect(await (await broker.open('anna__failed')).counts()).to.include({ visible: 1 });
    expect(await broker.list()).to.deep.equal(['anna__failed', 'anna__urgent']);
  });

  it('uses names unchanged without the ini file', async () => {
    await broker.create('anna__urgent');
    const { stdout } = await runQueues(['status', 'anna__urgent', '-b', 'sqlite:queues.db'], { folder });
    expect(stdout).to.equal(`${head}anna__urgent\t0\t0\t0\t\t\n`);
  });

  it('mentions the prefix in its help', async () => {
    const { stdout } = await runQueues(['status', '--help'], { folder });
    expect(stdout).to.contain('queue_prefix before queue names');
    expect(stdout).to.contain("the ini file's queues and its dead-letter queue");
  });
});
