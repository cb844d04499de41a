import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const FOLDER = join(import.meta.dirname, '../../bench');

function run(...args: string[]) {
  const script = ['--import=tsx', join(FOLDER, 'run.ts')];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...script, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** The benchmarks in a list, recognized by their two leading spaces. */
function namesIn(list: string): string[] {
  return [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name!);
}

describe('npm run bench', function () {
  this.timeout(30_000);

  it('lists all benchmarks, each with a file', () => {
    const { status, stdout } = run('--help');
    expect(status).to.equal(0);
    expect(namesIn(stdout)).to.include.members(['saturated', 'scaling', 'brokers/speed']);
    expect(namesIn(stdout).filter((name) => !existsSync(join(FOLDER, `${name}.ts`)))).to.deep.equal([]);
  });

  it('reports an unknown name, with the list', () => {
    const { status, stdout, stderr } = run('idle', 'nosuch');
    expect({ status, stdout }).to.deep.equal({ status: 64, stdout: '' });
    expect(stderr.split('\n')[0]).to.equal('Unknown benchmark "nosuch".');
    expect(namesIn(stderr)).to.include('idle');
  });
});
