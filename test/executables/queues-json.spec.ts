import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openBroker } from '../../src/brokers/open.ts';
import { REPOSITORY } from '../docs/markdown.ts';
import { cleanUp, folderWith, putOff } from '../support/executable.ts';
import { runQueues } from '../support/queues-command.ts';

/** The fields of a command in docs/operating.md, except those that only SQS has. */
function documented(command: string): string[] {
  const text = readFileSync(join(REPOSITORY, 'docs/operating.md'), 'utf8');
  const table = text.slice(
    text.indexOf('With `--json`, each command prints'),
    text.indexOf('The exit codes are'),
  );
  const [, cell = ''] = new RegExp(`^\\| \`${command}\` \\| (.*) \\|$`, 'm').exec(table) ?? [];
  const names = [...cell.matchAll(/`([a-zA-Z]+)`/g)].map(([, name]) => name!);
  return names.filter((name) => name !== 'isCancelled');
}

describe('the JSON of sqs-queues', function () {
  this.timeout(60_000);
  afterEach(cleanUp);

  it('has the documented fields', async () => {
    const folder = folderWith({});
    const broker = await openBroker('sqlite:queues.db', { directory: folder });
    putOff(() => broker.close());
    await broker.create('empty');
    await broker.create('dead.fifo');
    await broker.create('jobs.fifo', { deadLetterQueue: { name: 'dead.fifo', maxReceives: 3 } });
    for (const name of ['jobs.fifo', 'dead.fifo']) {
      await (await broker.open(name)).send([{ body: '[[1],{}]', groupId: 'g', deduplicationId: '1' }]);
    }
    const expectFields = async (command: string, ...args: string[]) => {
      const words = [command, ...args, '--json', '-b', 'sqlite:queues.db'];
      const { stdout, stderr } = await runQueues(words, { folder });
      expect(stderr).to.equal('');
      const parsed = JSON.parse(stdout) as object | readonly object[];
      const fields = Object.keys(Array.isArray(parsed) ? parsed[0] : parsed);
      expect(fields, command).to.have.members(documented(command));
    };
    await Promise.all([
      expectFields('create', 'other'),
      expectFields('send', 'other', '1'),
      expectFields('status', 'jobs.fifo'),
      expectFields('peek', 'jobs.fifo'),
      expectFields('redrive', 'dead.fifo', '--dry-run'),
      expectFields('wait', 'empty', '--cycles', '1'),
      expectFields('cost', '--rate', '1/s'),
    ]);
    await expectFields('clear', 'jobs.fifo', '--yes');
  });
});
