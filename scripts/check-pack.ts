/**
 * Checks that `npm pack` is reproducible: builds and packs the package twice, in copies of the working tree with
 * different folder names, and compares the bytes. Takes a minute or two, and the disk space of two node_modules.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyWorkingTree } from './working-copy.ts';

const folder = mkdtempSync(join(tmpdir(), 'check-pack-'));

/** The hash of the package built in a copy. */
function pack(name: string): string {
  const copy = join(folder, name);
  copyWorkingTree(copy);
  execFileSync('npm', ['pack', '--silent'], { cwd: copy, stdio: ['ignore', 'ignore', 'inherit'] });
  const [tarball = ''] = globSync('*.tgz', { cwd: copy });
  const bytes = readFileSync(join(copy, tarball));
  const hash = createHash('sha512').update(bytes).digest('base64');
  console.log(`sha512-${hash} ${tarball}, ${bytes.length} bytes`);
  return hash;
}

if (pack('one') === pack(join('another', 'place'))) {
  rmSync(folder, { recursive: true });
} else {
  console.error(`The packages differ. Both copies and their packages are in ${folder}`);
  process.exitCode = 1;
}
