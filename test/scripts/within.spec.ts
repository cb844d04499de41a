import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';

const WITHIN = join(import.meta.dirname, '../../scripts/within.ts');

describe('a command with a time limit', function () {
  this.timeout(30_000);

  function run(seconds: number, script: string) {
    return spawnSync(process.execPath, [WITHIN, String(seconds), process.execPath, '-e', script], {
      encoding: 'utf8',
    });
  }

  it('keeps its output and its exit code', () => {
    expect(run(60, 'console.log("done"); process.exitCode = 3')).to.include({
      status: 3,
      stdout: 'done\n',
      stderr: '',
    });
  });

  it('is shown and killed after the limit, including its own processes, even if it blocks', () => {
    const script = `
      const { pid } = require('node:child_process').spawn('sleep', ['1000']);
      console.log(pid);
      process.title = 'in the spec that hangs';
      for (;;);`;
    const { status, stdout, stderr } = run(2, script);
    expect(status).to.equal(1);
    expect(stderr).to.contain('did not exit within 2 seconds').and.contain('in the spec that hangs');
    const state = spawnSync('ps', ['-o', 'stat=', '-p', stdout.trim()], { encoding: 'utf8' }).stdout;
    expect(state).to.match(/^(Z.*\n)?$/);
  });

  it('gets the signals sent by the terminal', async () => {
    const script = 'setInterval(() => {}, 1000); console.log("ready")';
    const values = [WITHIN, '60', process.execPath, '-e', script];
    const child = spawn(process.execPath, values, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await exited).to.deep.equal([130, null]);
  });
});
