/**
 * Whether `npm pack` is reproducible: builds and packs the package twice, in copies of the working tree in folders of
 * different names, and compares the bytes. Takes two minutes, and the space of two node_modules.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'check-pack-'));

/** The tarball of a copy of the working tree, without what git ignores. */
function pack(name: string): Buffer {
  const copy = join(folder, name);
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    encoding: 'utf8',
  });
  for (const file of files.split('\0').filter((file) => file !== '' && existsSync(file))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(file, join(copy, file));
  }
  cpSync('node_modules', join(copy, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  execFileSync('npm', ['pack', '--silent'], { cwd: copy, stdio: ['ignore', 'ignore', 'inherit'] });
  const [tarball = ''] = globSync('*.tgz', { cwd: copy });
  return readFileSync(join(copy, tarball));
}

const [first, second] = [pack('one'), pack(join('another', 'place'))].map((tarball) => {
  const hash = createHash('sha512').update(tarball).digest('hex');
  console.log(`${hash.slice(0, 32)}… ${tarball.length} bytes`);
  return hash;
});
if (first === second) {
  rmSync(folder, { recursive: true });
} else {
  console.error(`The packages differ. Both copies, with what was packed of them, are in ${folder}`);
  process.exitCode = 1;
}
