/**
 * Prefers the project's own installation over the copy that was started, which may be a global one or one from npx. The
 * project was tested with the version in its lock file, and its worker imports that version.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageFolder } from '../host/package.ts';

/**
 * If the project has its own copy, and it is not this one, runs the same command with it; the process then exits there.
 * `iniFile` identifies the project, because a service's working directory does not.
 */
export async function handOver(program: string, iniFile: string): Promise<void> {
  const executable = projectExecutable(program, dirname(iniFile));
  if (executable === undefined) return;
  // Daemons, child processes and units then also use that copy.
  process.argv[1] = executable;
  await import(pathToFileURL(executable).href);
}

/** Path of the executable `program` in the copy installed in a folder; undefined if there is none, or only this copy. */
function projectExecutable(program: string, folder: string): string | undefined {
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
