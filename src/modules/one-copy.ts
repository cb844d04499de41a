/**
 * Keeps to one copy of this package per process. A project may have its own installation in addition to the one whose
 * container is running (global, or from npx). If both have the same version, the project's worker, task modules and
 * custom broker import the running copy.
 */
import { readFileSync } from 'node:fs';
import { createRequire, findPackageJSON, registerHooks } from 'node:module';
import { dirname, join, sep } from 'node:path';

const NAME = 'sqs-containers';

/** The running copy and another copy are incompatible. The message contains their versions and folders. */
class IncompatibleCopyError extends Error {
  override readonly name = 'IncompatibleCopyError';
}

/** An installation of this package. */
interface Copy {
  readonly version: string;
  readonly folder: string;
}

/**
 * Which copy to import if a project has its own: `ours` if the versions are the same; `theirs` if it is compatible with
 * ours; `neither` if the two are incompatible.
 *
 *     choose('0.1.2', '0.1.2')    // 'ours'
 *     choose('1.4.0', '1.2.3')    // 'theirs': the same major version
 *     choose('0.2.0', '0.1.2')    // 'neither': before 1.0, another minor version may change anything
 */
export function choose(own: string, other: string): 'ours' | 'theirs' | 'neither' {
  if (own === other) return 'ours';
  return line(own) === line(other) ? 'theirs' : 'neither';
}

/** The part of the version that compatible versions have in common: `1`, or `0.1`. */
function line(version: string): string {
  const [major = '', minor = ''] = version.split('.');
  return major === '0' ? `0.${minor}` : major;
}

/** Whether a module belongs to this package, by its name: `sqs-containers` or `sqs-containers/tasks`. */
export function isOwn(specifier: string): boolean {
  return specifier === NAME || specifier.startsWith(`${NAME}/`);
}

let isShared = false;
/** The folders of other copies that we have warned about. */
const named = new Set<string>();

/**
 * Makes `import` and `require` of this package return the running copy, even where the package is not installed. A copy
 * with a compatible version is kept, with one warning. Importing an incompatible version fails with an error that names
 * both.
 */
export function shareThisCopy(): void {
  if (isShared) return;
  isShared = true;
  registerHooks({
    resolve(specifier, context, next) {
      // Our own lookup of this package's entries, below.
      if (!isOwn(specifier) || context.parentURL === import.meta.url) return next(specifier, context);
      const ours = ownUrl(specifier);
      if (ours === undefined) return next(specifier, context);
      try {
        const found = next(specifier, context);
        if (keeps(found.url, ours)) return found;
      } catch (error) {
        if (error instanceof IncompatibleCopyError) throw error;
        // It is not installed there, or that version does not have this entry.
      }
      return { url: ours, shortCircuit: true };
    },
  });
}

/**
 * Calls `register`, which makes `require` compile modules (tsx), but excludes our own modules: they would otherwise be
 * loaded a second time, as CommonJS.
 */
export function requireOwnAsIs(register: () => void): void {
  const { extensions } = createRequire(import.meta.url);
  const asIs = extensions['.js'];
  register();
  const compiled = extensions['.js'];
  const ours = ownUrl(NAME);
  if (ours === undefined || !asIs || !compiled || !process.features.require_module) return;
  const own = join(copyOf(ours).folder, 'dist') + sep;
  extensions['.js'] = (module, file) => (file.startsWith(own) ? asIs : compiled)(module, file);
}

/** The URL of a module in the running copy; undefined if it does not exist, or is bundled into an application. */
function ownUrl(specifier: string): string | undefined {
  try {
    return import.meta.resolve(specifier);
  } catch {
    return undefined;
  }
}

/** Whether to import the module that was found, not ours. Throws IncompatibleCopyError. */
function keeps(found: string, ours: string): boolean {
  const [own, other] = [copyOf(ours), copyOf(found)];
  if (own.folder === other.folder) return true;
  const choice = choose(own.version, other.version);
  if (choice === 'ours') return false;
  const both = `sqs-containers ${own.version} is running from ${own.folder}, but sqs-containers ${other.version} is imported from ${other.folder}`;
  if (choice === 'neither') {
    throw new IncompatibleCopyError(
      `${both}: these versions are incompatible. Install the same version in both places.`,
    );
  }
  if (!named.has(other.folder)) process.emitWarning(`${both}: install the same version in both places.`);
  named.add(other.folder);
  return true;
}

/** The copy to which a module belongs. */
function copyOf(url: string): Copy {
  const file = findPackageJSON(url);
  if (file === undefined) throw new Error(`${url} is not in a package.`);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return { version, folder: dirname(file) };
}
