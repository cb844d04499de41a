/** The declarations of dist/ that an application can reach; the others would only be unpacked. */
import { globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Removes from `folder` each declaration that no entry leads to. */
export function keepReachable(folder: string, entries: readonly string[]): void {
  const reachable = reachableFrom(entries);
  for (const file of globSync(join(folder, '**/*.d.ts'))) if (!reachable.has(file)) rmSync(file);
}

/** The entries, what they import, and so on. Files are relative to the working directory. */
export function reachableFrom(entries: readonly string[]): ReadonlySet<string> {
  const reached = new Set(entries.map((entry) => join(entry)));
  // A set yields what is added to it meanwhile, too.
  for (const file of reached) for (const imported of importsOf(file)) reached.add(imported);
  return reached;
}

/** Of `from './x.ts'`, `import './x.ts'` and `import("./x.ts")`: tsc leaves the names of the sources in declarations. */
function importsOf(file: string): string[] {
  const specifiers = readFileSync(file, 'utf8').matchAll(/\b(?:from|import)[\s(]*['"](\.[^'"]+)\.[jt]s['"]/g);
  return [...specifiers].map(([, path = '']) => join(dirname(file), `${path}.d.ts`));
}
