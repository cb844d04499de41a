import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sinon from 'sinon';
import { crashFolder, makeCrashFolder } from '../../../src/host/crashes/crash-folder.ts';

describe('the folder of crash records', () => {
  it("is in the service's state folder, or else its runtime folder, or else the temporary folder", () => {
    const STATE_DIRECTORY = '/var/lib/orders:/var/lib/b';
    const RUNTIME_DIRECTORY = '/run/orders';
    expect(crashFolder({ STATE_DIRECTORY, RUNTIME_DIRECTORY }, '/tmp', 1000)).to.equal(
      '/var/lib/orders/sqs-containers',
    );
    expect(crashFolder({ RUNTIME_DIRECTORY }, '/tmp', 1000)).to.equal('/run/orders/sqs-containers');
    expect(crashFolder({ STATE_DIRECTORY: '' }, '/tmp', 1000)).to.equal('/tmp/sqs-containers-1000');
  });

  describe('when it is created', () => {
    let parent: string;
    let folder: string;

    beforeEach(() => {
      parent = mkdtempSync(join(tmpdir(), 'crash-folder-'));
      folder = join(parent, 'records');
    });

    afterEach(() => {
      sinon.restore();
      rmSync(parent, { recursive: true });
    });

    it('is for this user only, and may already exist', () => {
      makeCrashFolder(folder);
      makeCrashFolder(folder);
      expect(statSync(folder).mode & 0o777).to.equal(0o700);
    });

    it('is refused if it is a symbolic link', () => {
      mkdirSync(join(parent, 'elsewhere'));
      symlinkSync('elsewhere', folder);
      expect(() => makeCrashFolder(folder)).to.throw('it is a symbolic link');
    });

    it('is refused if it belongs to another user', () => {
      makeCrashFolder(folder);
      const userId = process.getuid!();
      sinon.stub(process, 'getuid').returns(userId + 1);
      expect(() => makeCrashFolder(folder)).to.throw(
        `it belongs to user ${userId}, not to user ${userId + 1}`,
      );
    });

    it('is refused if others can write to it', () => {
      makeCrashFolder(folder);
      chmodSync(folder, 0o770);
      expect(() => makeCrashFolder(folder)).to.throw('other users can write to it');
    });
  });
});
