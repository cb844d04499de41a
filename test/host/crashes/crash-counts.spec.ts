import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CrashCounts, outdated } from '../../../src/host/crashes/crash-counts.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

describe('the counts of crashes', () => {
  it('are outdated 14 days after their last crash', () => {
    const now = Date.now();
    const old = { lastCrashAt: now - 14 * DAY_MS - 1 };
    const recent = { lastCrashAt: now - 14 * DAY_MS };
    expect(outdated([old, recent], now)).to.deep.equal([old]);
  });

  it('are outdated, oldest first, if there are more than a thousand', () => {
    const suspects = Array.from({ length: 1_002 }, (_, index) => ({ lastCrashAt: index }));
    expect(outdated(suspects, 0)).to.have.deep.members([{ lastCrashAt: 0 }, { lastCrashAt: 1 }]);
    expect(outdated(suspects.slice(2), 0)).to.deep.equal([]);
  });

  it('are removed from the folder when outdated, except those of other containers', () => {
    const folder = mkdtempSync(join(tmpdir(), 'suspects-'));
    for (const [prefix, key] of [
      ['one.', 'old'],
      ['one.', 'new'],
      ['other.', 'old'],
    ] as const) {
      new CrashCounts(folder, prefix).add(key);
      const at = (Date.now() - (key === 'old' ? 15 : 13) * DAY_MS) / 1000;
      utimesSync(join(folder, prefix + key), at, at);
    }
    new CrashCounts(folder, 'one.').prune(Date.now());
    expect(readdirSync(folder)).to.have.members(['one.new', 'other.old']);
    rmSync(folder, { recursive: true });
  });
});
