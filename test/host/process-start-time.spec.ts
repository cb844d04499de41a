import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { processStartTime, startIn } from '../../src/host/process-start-time.ts';

const AFTER_STATE = '1 7 7 0 -1 4194560 2519 0 0 0 3 1 0 0 20 0 11 0 17430211 22 33';

describe('the start time of a process', () => {
  it('stays the same while the process runs', () => {
    expect(processStartTime(process.pid)).to.be.a('string').and.to.equal(processStartTime(process.pid));
  });

  it('is unknown once the process has exited', () => {
    const { pid } = spawnSync(process.execPath, ['-v']);
    expect(processStartTime(pid)).to.equal(undefined);
  });

  it("is parsed whatever the program's name contains", () => {
    expect(startIn(`7 (node) S ${AFTER_STATE}`)).to.equal('17430211');
    expect(startIn(`7 (a) R (b) S ${AFTER_STATE}`)).to.equal('17430211');
  });

  it('is unknown for a zombie', () => {
    expect(startIn(`7 (node) Z ${AFTER_STATE}`)).to.equal(undefined);
  });
});
