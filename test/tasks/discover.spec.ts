import { join } from 'node:path';
import { expect } from 'chai';
import { importTasks } from '../../src/tasks/discover.ts';
import { queueOf } from '../../src/tasks/registry.ts';
import { worker } from '../../src/tasks/worker.ts';
import { silentLog } from '../../src/worker/current-message.ts';
import { rejection } from '../support/rejection.ts';

const fixtures = join(import.meta.dirname, 'fixtures');

describe('task modules', () => {
  const names = (paths: string[]) => paths.map((path) => path.slice(fixtures.length + 1));

  it('are found by convention, in a folder or module called tasks or commands', async () => {
    expect(names(await importTasks(undefined, fixtures))).to.deep.equal([
      'tasks/mails.ts',
      'tasks/reports.ts',
    ]);
    expect([...(queueOf('discovered')?.tasks.keys() ?? [])]).to.have.members(['welcome', 'monthly']);
  });

  it('are found by one or more patterns, including braces', async () => {
    const found = await importTasks('./tasks/mails.ts, ./tasks/{reports,nothing}.ts', fixtures);
    expect(names(found)).to.deep.equal(['tasks/mails.ts', 'tasks/reports.ts']);
  });

  it('are named with their path when they fail to load', async () => {
    const error = await rejection(importTasks(undefined, join(fixtures, 'broken')));
    expect(error.message).to.match(/broken\/tasks\.ts failed to load: no configuration/);
  });

  it('are reported missing if a pattern matches none', async () => {
    const error = await rejection(importTasks('./jobs/*.ts', fixtures));
    expect(error.message).to.contain('No module matches "./jobs/*.ts"');
  });

  it('are files, not folders that match a pattern', async () => {
    const error = await rejection(importTasks('./tasks', fixtures));
    expect(error.message).to.contain('No module matches "./tasks"').and.contain('such as ./tasks/*.ts');
  });

  it('may be CommonJS, also in TypeScript', async () => {
    const found = await importTasks(undefined, join(fixtures, 'commonjs'));
    expect(names(found)).to.deep.equal(['commonjs/commands.cjs', 'commonjs/commands.cts']);
  });

  it('are logged at startup by the tasks that they define', async () => {
    const lines: string[] = [];
    const log = { ...silentLog, info: (line: string) => void lines.push(line) };
    await worker({ modules: './tasks/*.ts' }, { directory: fixtures, log });
    expect(lines.join()).to.contain('discovered.welcome').and.contain('discovered.monthly');
  });
});
