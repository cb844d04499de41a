/** Finds and imports the modules that define tasks. Importing them registers their tasks. */
import { glob } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { importModule } from '../modules/load.ts';
import { registeredQueues } from './registry.ts';

/** Where to look for tasks by default: a module `tasks` or `commands`, or a folder with that name. */
const CONVENTION = [
  '{tasks,commands}.{ts,mts,cts,js,mjs,cjs}',
  '{tasks,commands}/**/*.{ts,mts,cts,js,mjs,cjs}',
];
const NOT_TASKS = /\.d\.[cm]?ts$|\.(spec|test)\.[cm]?[jt]s$/;

/** No module was found, or none defines a task. */
export class NoTasksError extends Error {
  override readonly name = 'NoTasksError';
}

/**
 * Imports the modules that match the patterns (separated by commas or whitespace; `*`, `**` and `{a,b}` work), relative
 * to `directory`. Resolves to their paths. Throws NoTasksError, or ModuleLoadError with the path of a module that fails
 * to load.
 */
export async function importTasks(patterns: string | undefined, directory: string): Promise<string[]> {
  const wanted = patterns === undefined ? CONVENTION : splitPatterns(patterns);
  const files: string[] = [];
  for (const pattern of wanted) {
    const found: string[] = [];
    for await (const entry of glob(pattern, { cwd: directory, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      const isInstalled = relative(directory, file).includes('node_modules');
      if (!entry.isDirectory() && !isInstalled && !NOT_TASKS.test(file)) found.push(file);
    }
    if (found.length === 0 && patterns !== undefined) {
      throw new NoTasksError(
        `No module matches "${pattern}" in ${directory}. Set modules in [worker], such as ./tasks/*.ts.`,
      );
    }
    files.push(...found.sort());
  }
  if (files.length === 0 && registeredQueues().length === 0) {
    throw new NoTasksError(
      `No tasks found in ${directory}: it has no module tasks.ts or commands.ts, and no folder with that name. Set modules in [worker], such as ./tasks/*.ts.`,
    );
  }
  const paths = [...new Set(files)];
  for (const path of paths) await importModule(path, directory);
  if (paths.length > 0 && registeredQueues().every(({ tasks, raw }) => tasks.size === 0 && !raw)) {
    throw new NoTasksError(
      `No task is defined in ${paths.join(', ')}. Define one with task(…), batchTask(…) or rawTask(…).`,
    );
  }
  return paths;
}

/** Commas inside braces belong to the pattern. */
function splitPatterns(patterns: string): string[] {
  return patterns.split(/[\s,]+(?![^{]*\})/).filter((pattern) => pattern !== '');
}
