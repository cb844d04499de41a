import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sinon from 'sinon';
import { readStarvation, watchStarvation } from '../../chaos/starvation.ts';

describe('the watch for starvation', () => {
  let clock: sinon.SinonFakeTimers;
  let folder: string;
  let file: string;
  let endWatch: () => void;
  let cpuMs = 0;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'starvation-'));
    file = join(folder, 'starvation');
    clock = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'hrtime'] });
    cpuMs = 0;
    sinon.stub(process, 'threadCpuUsage').callsFake(() => ({ user: cpuMs * 600, system: cpuMs * 400 }));
    endWatch = watchStarvation(file);
    clock.tick(1_000);
  });
  afterEach(() => {
    endWatch();
    clock.restore();
    sinon.restore();
    rmSync(folder, { recursive: true });
  });

  it('records when a process did not run', () => {
    clock.jump(2_000);
    clock.tick(1_000);
    expect(readStarvation(file)).to.deep.equal([{ pid: process.pid, from: 1_000, to: 3_000 }]);
  });

  it('ignores long computations of the process itself', () => {
    cpuMs += 1_900;
    clock.jump(2_000);
    expect(readStarvation(file)).to.deep.equal([]);
  });

  it('ignores short delays', () => {
    for (let time = 0; time < 20; time += 1) clock.jump(250);
    expect(readStarvation(file)).to.deep.equal([]);
  });
});
