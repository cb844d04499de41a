/**
 * One copy of this package in a process. A project may have its own installation beside the one whose container runs it
 * (a global one, or that of npx): what its worker, its task modules and its custom broker import of the package is then
 * the copy that runs, if both are of the same version.
 */
import { readFileSync } from 'node:fs';
import { createRequire, findPackageJSON, registerHooks } from 'node:module';
import { dirname, join, sep } from 'node:path';

const NAME = 'sqs-containers';

/** The copy that runs and another one are too far apart. The message says which versions they have, and where they are. */
class IncompatibleCopyError extends Error {
  override readonly name = 'IncompatibleCopyError';
}

/** An installation of this package. */
interface Copy {
  readonly version: string;
  readonly folder: string;
}

/**
 * What is to be imported where a project has a copy of its own: `ours`, for the same version; `theirs`, which works
 * together with ours; `neither`, because the two would misunderstand each other.
 *
 *     choose('0.1.2', '0.1.2')    // 'ours'
 *     choose('1.4.0', '1.2.3')    // 'theirs': the same major version
 *     choose('0.2.0', '0.1.2')    // 'neither': before 1.0, another minor version may change anything
 */
export function choose(own: string, other: string): 'ours' | 'theirs' | 'neither' {
  if (own === other) return 'ours';
  return line(own) === line(other) ? 'theirs' : 'neither';
}

/** What stays the same between versions that work together: `1`, or `0.1`. */
function line(version: string): string {
  const [major = '', minor = ''] = version.split('.');
  return major === '0' ? `0.${minor}` : major;
}

/** Whether a module is one of this package, by its name: `sqs-containers` or `sqs-containers/tasks`. */
export function isOwn(specifier: string): boolean {
  return specifier === NAME || specifier.startsWith(`${NAME}/`);
}

let isShared = false;
/** The folders of other copies that a warning has named. */
const named = new Set<string>();

/**
 * From now on `import` and `require` of this package lead to the copy that runs, also where the package is not installed
 * at all. Of a version that works together with it, the other copy is kept, with one warning. What imports a version that
 * does not, fails with an error that names both.
 */
export function shareThisCopy(): void {
  if (isShared) return;
  isShared = true;
  registerHooks({
    resolve(specifier, context, next) {
      // Where our own copy looks for its entries, below, it finds them by itself.
      if (!isOwn(specifier) || context.parentURL === import.meta.url) return next(specifier, context);
      const ours = ownUrl(specifier);
      if (ours === undefined) return next(specifier, context);
      try {
        const found = next(specifier, context);
        if (keeps(found.url, ours)) return found;
      } catch (error) {
        if (error instanceof IncompatibleCopyError) throw error;
        // It is not installed where it is imported, or that version has no such entry.
      }
      return { url: ours, shortCircuit: true };
    },
  });
}

/**
 * Calls `register`, which makes `require` compile what it loads, as tsx does, but for our own modules: these would be
 * there a second time, as CommonJS.
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

/** The URL of a module in the copy that runs; undefined if it has none, or if it was bundled into an application. */
function ownUrl(specifier: string): string | undefined {
  try {
    return import.meta.resolve(specifier);
  } catch {
    return undefined;
  }
}

/** Whether the module that was found is the one to be imported. Throws IncompatibleCopyError. */
function keeps(found: string, ours: string): boolean {
  const [own, other] = [copyOf(ours), copyOf(found)];
  if (own.folder === other.folder) return true;
  const choice = choose(own.version, other.version);
  if (choice === 'ours') return false;
  const both = `sqs-containers ${own.version} in ${own.folder} runs, and sqs-containers ${other.version} in ${other.folder} is imported`;
  if (choice === 'neither') {
    throw new IncompatibleCopyError(
      `${both}: they do not work together. Install the same version in both places.`,
    );
  }
  if (!named.has(other.folder)) process.emitWarning(`${both}: install the same version in both places.`);
  named.add(other.folder);
  return true;
}

/** The copy that a module belongs to. */
function copyOf(url: string): Copy {
  const file = findPackageJSON(url);
  if (file === undefined) throw new Error(`${url} is not in a package.`);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return { version, folder: dirname(file) };
}
