import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cleanUp, folderWith, putOff, run } from '../support/executable.ts';
import { call, openQueue, settings } from '../support/executable-brokers.ts';

const WORKER = `
  export const worker = () => (what) => { throw new Error(what); };
`;

/**
 * Runs a container on a message that fails, with standard error in a file; if `journal` is true, as under systemd's
 * journal. Returns the lines of the file.
 */
async function logOfFailure(journal: boolean): Promise<string[]> {
  const folder = folderWith({ 'worker.ini': settings('worker'), 'worker.mjs': WORKER });
  await call(await openQueue(folder), ['oops']);
  const { ended, lines } = await runInJournal(folder, journal, 'worker.ini', '--message-limit', '1');
  expect(ended).to.equal(0);
  return lines;
}

async function runInJournal(folder: string, journal: boolean, ...args: string[]) {
  const file = join(folder, 'stderr');
  const stderr = openSync(file, 'w');
  putOff(() => closeSync(stderr));
  const { dev, ino } = fstatSync(stderr);
  const JOURNAL_STREAM = journal ? `${dev}:${ino}` : `${dev}:${ino + 1}`;
  const { ended } = await run('sequential', args, { folder, stderr, environment: { JOURNAL_STREAM } });
  return { ended, lines: readFileSync(file, 'utf8').trimEnd().split('\n') };
}

describe('the log of sqs-sequential under systemd', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('starts each line with its priority for the journal, including lines of a stack', async () => {
    const lines = await logOfFailure(true);
    const priorities = lines.map((line) => line.slice(0, 3));
    expect(lines[0]).to.match(/^<6>\S+Z INFO sequential: Connected/);
    expect(lines[1]).to.match(/^<3>\S+Z ERROR sequential: Handling a message/);
    expect(lines[2]).to.equal('<3>  Error: oops');
    expect(lines[3]).to.match(/^<3> {6}at .*worker\.mjs/);
    expect(lines.at(-1)).to.match(/^<6>.* Drained/);
    expect(new Set(priorities)).to.deep.equal(new Set(['<6>', '<3>']));
  });

  it('also has a priority on configuration errors', async () => {
    const folder = folderWith({ 'worker.ini': '[container]\nqueue = jobs\npol = 1\n' });
    const { ended, lines } = await runInJournal(folder, true, 'worker.ini');
    expect(ended).to.equal(78);
    expect(lines).to.have.length.above(1);
    for (const line of lines) expect(line).to.match(/^<3>worker\.ini:/);
  });

  it('has no priorities when standard error goes elsewhere', async () => {
    const lines = await logOfFailure(false);
    expect(lines[0]).to.match(/^\S+Z INFO sequential: Connected/);
    expect(lines.join('\n')).not.to.match(/^</m);
  });
});
