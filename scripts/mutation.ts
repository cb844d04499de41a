/**
 * Mutation testing: changes the code in one place at a time and checks whether a spec fails. Runs Stryker, configured in
 * stryker.config.json, in a copy of the working tree, because it needs an older mocha than the project has. Installs
 * that mocha from the registry.
 *
 *     npm run mutation                              // all files; takes hours
 *     npm run mutation -- 'src/message/**\/*.ts'    // some files
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { copyWorkingTree } from './working-copy.ts';

/** The runner needs a mocha older than 12. */
const PACKAGES = ['@stryker-mutator/core@10.0.0', '@stryker-mutator/mocha-runner@10.0.0', 'mocha@11.8.0'];

const copy = mkdtempSync(join(tmpdir(), 'mutation-'));
const mutated = process.argv.slice(2);
const options = {
  cwd: copy,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(copy, 'node_modules/.bin')}${delimiter}${process.env.PATH}` },
} as const;
try {
  copyWorkingTree(copy);
  execFileSync('npm', ['install', '--no-save', '--ignore-scripts', '--silent', ...PACKAGES], options);
  execFileSync('stryker', ['run', ...(mutated.length > 0 ? ['--mutate', mutated.join(',')] : [])], options);
} finally {
  rmSync(copy, { recursive: true });
}
