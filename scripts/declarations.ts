/** Finds the declarations in dist/ that an application can reach; packing the others would waste space. */
import { globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Removes the declarations in `folder` that are not reachable from the entries. */
export function keepReachable(folder: string, entries: readonly string[]): void {
  const reachable = reachableFrom(entries);
  for (const file of globSync(join(folder, '**/*.d.ts'))) if (!reachable.has(file)) rmSync(file);
}

/** The entries and everything they import, directly or indirectly. Files are relative to the working directory. */
export function reachableFrom(entries: readonly string[]): ReadonlySet<string> {
  const reached = new Set(entries.map((entry) => join(entry)));
  // Iterating over a set also visits elements added meanwhile.
  for (const file of reached) for (const imported of importsOf(file)) reached.add(imported);
  return reached;
}

/** Finds `from './x.ts'`, `import './x.ts'` and `import("./x.ts")`: tsc keeps source file names in declarations. */
function importsOf(file: string): string[] {
  const specifiers = readFileSync(file, 'utf8').matchAll(/\b(?:from|import)[\s(]*['"](\.[^'"]+)\.[jt]s['"]/g);
  return [...specifiers].map(([, path = '']) => join(dirname(file), `${path}.d.ts`));
}
