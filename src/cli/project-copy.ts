/**
 * The project's own installation goes before the copy that was started, which may be a global one or that of npx: its
 * lock file names the version that it was tested with, and its worker imports that version.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageFolder } from '../host/package.ts';

/**
 * Runs the same command with the project's own copy, if it has another one than this; that ends the process. `iniFile`
 * tells which project it is: the working directory of a service does not.
 */
export async function handOver(program: string, iniFile: string): Promise<void> {
  const executable = projectExecutable(program, dirname(iniFile));
  if (executable === undefined) return;
  // What starts this program again, as a daemon, as a child or from a unit, starts that copy.
  process.argv[1] = executable;
  await import(pathToFileURL(executable).href);
}

/** The executable `program` of the copy that a folder has installed; undefined if it has none, or just this one. */
export function projectExecutable(program: string, folder: string): string | undefined {
  const manifest = manifestIn(folder);
  if (manifest === undefined || dirname(manifest) === packageFolder()) return undefined;
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin?: Readonly<Record<string, string>> };
  const executable = bin?.[program];
  return executable === undefined ? undefined : join(dirname(manifest), executable);
}

function manifestIn(folder: string): string | undefined {
  try {
    return createRequire(resolve(folder, 'ini')).resolve('sqs-containers/package.json');
  } catch {
    return undefined;
  }
}
