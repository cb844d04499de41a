import { expect } from 'chai';
import type { Broker } from '../../src/brokers/broker.ts';
import { cleanUp, folderWith, run } from '../support/executable.ts';
import { openIn } from '../support/executable-brokers.ts';

const WORKER = `
  import { currentMessage } from 'sqs-containers';
  export const worker = () => (what) => console.log(currentMessage().queue, what);
`;

const LIMIT = ['--message-limit', '1'];
/** Makes the container exit when there are no more messages. */
const IDLE = ['--idle-exit', '300ms'];

describe('prefixes, suffixes and queue names', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  let folder: string;
  let broker: Broker;

  async function prepare(options: string): Promise<void> {
    const ini = `[container]\nworker = ./worker.mjs:worker\nbroker = sqlite:queues.db\n${options}`;
    folder = folderWith({ 'worker.ini': ini, 'worker.mjs': WORKER });
    broker = await openIn(folder);
  }

  /** Sends each of these queues its own name. */
  async function fill(...names: string[]): Promise<void> {
    for (const name of names) {
      const queue = await broker.open(name);
      const body = `[["${name}"],{}]`;
      await queue.send([queue.fifo ? { body, groupId: 'g', deduplicationId: 'd' } : { body }]);
    }
  }

  const sequential = (...args: string[]) => run('sequential', ['worker.ini', ...args], { folder });

  it('put a prefix before the names of the queues and the dead-letter queue', async () => {
    await prepare('queue = mails\nqueue_prefix = anna\non_error = dead_letter\ndead_letter_queue = failed\n');
    await fill('mails', 'anna__mails');
    await (await broker.open('anna__mails')).send([{ body: 'no call' }]);
    const { stdout, stderr, ended } = await sequential(...IDLE);
    expect(ended, stderr).to.equal(0);
    expect(stdout).to.equal('anna__mails anna__mails\n');
    expect(stderr).to.contain('queue "anna__mails"');
    expect(await broker.list()).to.deep.equal(['anna__failed', 'anna__mails', 'mails']);
    expect(await (await broker.open('anna__failed')).counts()).to.include({ visible: 1 });
  });

  it('select other queues with --suffix', async () => {
    await prepare('queue = mails, bulk.fifo\nsuffixes = big, small\nqueue_prefix = anna\n');
    await fill('anna__mails', 'anna__mails__big', 'anna__bulk__big.fifo', 'anna__mails__small');
    const { stdout, stderr, ended } = await sequential('--suffix', 'big', ...IDLE);
    expect(ended, stderr).to.equal(0);
    expect(stdout.split('\n').sort()).to.deep.equal([
      '',
      'anna__bulk__big.fifo anna__bulk__big.fifo',
      'anna__mails__big anna__mails__big',
    ]);
    expect(stderr).to.contain('queues "anna__mails__big", "anna__bulk__big.fifo"').and.not.contain('WARN');
  });

  it('warn about a suffix that the ini file does not list, and use it anyway', async () => {
    await prepare('queue = mails\nsuffixes = big, small\n');
    await fill('mails', 'mails__bigg');
    const { stdout, stderr, ended } = await sequential('--suffix', 'bigg', ...LIMIT);
    expect(ended, stderr).to.equal(0);
    expect(stdout).to.equal('mails__bigg mails__bigg\n');
    expect(stderr.match(/WARN .*/g)).to.deep.equal([
      'WARN sequential: Using --suffix bigg, although worker.ini does not list it; did you mean "big"?',
    ]);
  });

  it('refuse a suffix that makes a queue name too long, before opening anything', async () => {
    const long = 'x'.repeat(78);
    await prepare(`queue = ${long}\n`);
    const { stderr, ended } = await sequential('--suffix', 'big');
    expect(ended).to.equal(64);
    expect(stderr).to.match(/^sqs-sequential: --suffix big: its full name, x+__big, has 83 characters; /);
    expect(await broker.list()).to.deep.equal([]);
  });

  it('refuse a suffix that makes a queue its own dead-letter queue', async () => {
    await prepare('queue = mails\ndead_letter_queue = mails__failed\n');
    const { stderr, ended } = await sequential('--suffix', 'failed', '--check');
    expect(ended).to.equal(64);
    expect(stderr).to.contain('--suffix failed: this container consumes "mails__failed"');
  });

  it('select some of the configured queues with --queue', async () => {
    await prepare('queue = urgent*3, mails, bulk\nqueue_prefix = anna\n');
    await fill('anna__urgent', 'anna__mails', 'anna__bulk');
    const { stdout, stderr, ended } = await sequential('--queue', 'bulk', '--queue', 'urgent', ...IDLE);
    expect(ended, stderr).to.equal(0);
    expect(stdout.split('\n').sort()).to.deep.equal([
      '',
      'anna__bulk anna__bulk',
      'anna__urgent anna__urgent',
    ]);
    expect(stderr).to.contain('queues "anna__urgent"*3, "anna__bulk"');
    const { stdout: checked } = await sequential('--queue', 'mails', '--check');
    expect(checked).to.contain('\nqueue = mails\n');
  });

  it('refuse a --queue that is not configured', async () => {
    await prepare('queue = urgent*3, mails\nqueue_prefix = anna\n');
    for (const [name, advice] of [
      ['mail', 'did you mean "mails"?'],
      ['bulk', 'it lists urgent, mails'],
    ] as const) {
      const { stdout, stderr, ended } = await sequential('--queue', name);
      expect({ stdout, ended }).to.deep.equal({ stdout: '', ended: 64 });
      expect(stderr).to.contain(
        `sqs-sequential: --queue ${name}: worker.ini does not list this queue; ${advice}`,
      );
    }
    expect(await broker.list()).to.deep.equal([]);
  });
});
