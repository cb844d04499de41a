import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openBroker } from '../../src/brokers/open.ts';
import { REPOSITORY } from '../docs/markdown.ts';
import { cleanUp, folderWith, putOff, run } from './executable.ts';

/** The fields that docs/operating.md names of a command, beside those that only SQS has. */
function documented(command: string): string[] {
  const text = readFileSync(join(REPOSITORY, 'docs/operating.md'), 'utf8');
  const table = text.slice(text.indexOf('What `--json` prints'), text.indexOf('The exit codes are'));
  const [, cell = ''] = new RegExp(`^\\| \`${command}\` \\| (.*) \\|$`, 'm').exec(table) ?? [];
  const names = [...cell.matchAll(/`([a-zA-Z]+)`/g)].map(([, name]) => name!);
  return names.filter((name) => name !== 'isCancelled');
}

describe('the JSON of sqs-queues', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('has the fields that the documentation names', async () => {
    const folder = folderWith({});
    const broker = await openBroker('sqlite:queues.db', { directory: folder });
    putOff(() => broker.close());
    await broker.create('dead.fifo');
    await broker.create('jobs.fifo', { deadLetterQueue: { name: 'dead.fifo', maxReceives: 3 } });
    for (const [command, ...args] of [
      ['create', 'jobs.fifo'],
      ['send', 'jobs.fifo', '1', '--group', 'g'],
      ['send', 'dead.fifo', '1'],
      ['status', 'jobs.fifo'],
      ['peek', 'jobs.fifo'],
      ['redrive', 'dead.fifo', '--dry-run'],
      ['clear', 'jobs.fifo', '--yes'],
      ['wait', 'jobs.fifo', '--cycles', '1'],
      ['cost', '--rate', '1/s'],
    ] as const) {
      const { stdout, stderr } = await run('queues', [command, ...args, '--json', '-b', 'sqlite:queues.db'], {
        folder,
      });
      expect(stderr).to.equal('');
      const parsed = JSON.parse(stdout) as object | readonly object[];
      const fields = Object.keys(Array.isArray(parsed) ? parsed[0] : parsed);
      expect(fields, command).to.have.members(documented(command));
    }
  });
});
