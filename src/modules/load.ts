/**
 * Imports the worker or broker that `module:expr` names (like zc.sqs's worker option). `module` is a package or a path
 * relative to the ini file; `expr` is an export or a dotted path into one. TypeScript needs no build step.
 */
import { existsSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isOwn, requireOwnAsIs, shareThisCopy } from './one-copy.ts';

/** The module could not be imported, or does not have the export. The message says which, and lists its exports. */
export class ModuleLoadError extends Error {
  override readonly name = 'ModuleLoadError';
}

/**
 * Resolves to the value of `expression`, such as `./adder.ts:adder` or `my-package/workers:mail.factory`. Looks up
 * relative paths and packages from `directory`, the ini file's folder. Throws ModuleLoadError.
 */
export async function loadExpression(expression: string, directory: string): Promise<unknown> {
  const colon = expression.lastIndexOf(':');
  const specifier = expression.slice(0, colon);
  const path = expression.slice(colon + 1);
  if (colon < 1 || path === '') {
    throw new ModuleLoadError(`"${expression}" is not module:expr, such as ./adder.ts:adder.`);
  }
  return follow(await importModule(specifier, directory), path, specifier);
}

/** Imports a module, like `loadExpression`. Throws ModuleLoadError. */
export async function importModule(specifier: string, directory: string): Promise<Record<string, unknown>> {
  shareThisCopy();
  const url = await locate(specifier, directory);
  try {
    if (/\.[cm]?tsx?$/.test(extname(new URL(url).pathname))) await understandTypeScript();
    return (await import(url)) as Record<string, unknown>;
  } catch (cause) {
    throw new ModuleLoadError(
      `The module ${specifier} failed to load: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** The URL of an existing module. A path does not need a leading `./` if the file is next to the ini file. */
async function locate(specifier: string, directory: string): Promise<string> {
  const file = resolve(directory, specifier);
  if (existsSync(file)) return pathToFileURL(file).href;
  if (/^\.{0,2}\//.test(specifier)) {
    throw new ModuleLoadError(`Cannot find module ${specifier}: the file ${file} does not exist.`);
  }
  const { resolve: resolveSpecifier } = await import('import-meta-resolve');
  // Look in the ini file's folder first, then next to this program. Its own workers are only there.
  const parents = [
    ...(isOwn(specifier) ? [] : [pathToFileURL(join(directory, 'ini')).href]),
    import.meta.url,
  ];
  for (const parent of parents) {
    try {
      const url = resolveSpecifier(specifier, parent);
      if (!url.startsWith('file:') || existsSync(new URL(url))) return url;
    } catch {
      // Not found from here. The error below lists what was tried.
    }
  }
  throw new ModuleLoadError(
    `Cannot find module ${specifier}: there is no file ${file}, and no package with that name can be imported from ${directory}.`,
  );
}

let typeScript: Promise<void> | undefined;

/** Not inside `import()`, because a bundler would add tsx to an application's bundle, where it does not work. */
const TSX_FOR_REQUIRE: string = 'tsx/cjs/api';
const TSX_FOR_IMPORT: string = 'tsx/esm/api';

/** Loads tsx, only for TypeScript workers. Registers it once, so that the worker shares this program's classes. */
function understandTypeScript(): Promise<void> {
  typeScript ??= (async () => {
    const [cjs, esm] = await Promise.all([
      import(TSX_FOR_REQUIRE) as Promise<typeof import('tsx/cjs/api')>,
      import(TSX_FOR_IMPORT) as Promise<typeof import('tsx/esm/api')>,
    ]);
    requireOwnAsIs(() => cjs.register());
    esm.register();
  })();
  return typeScript;
}

/** Follows a dotted path into a module. CommonJS modules also have their exports under `default`. */
function follow(module: Record<string, unknown>, path: string, specifier: string): unknown {
  let value: unknown = module;
  let from = specifier;
  for (const [index, name] of path.split('.').entries()) {
    const found: unknown = member(value, name) ?? (index === 0 ? member(module.default, name) : undefined);
    if (found === undefined) {
      const names = index === 0 ? exportNames(module) : memberNames(value);
      throw new ModuleLoadError(
        `${from} has no ${index === 0 ? 'export' : 'member'} "${name}". ${
          names.length > 0 ? `It has: ${names.join(', ')}.` : 'It has none.'
        }`,
      );
    }
    value = found;
    from = index === 0 ? `${specifier}:${name}` : `${from}.${name}`;
  }
  return value;
}

function member(value: unknown, name: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  const found: unknown = (value as Record<string, unknown>)[name];
  // Bind methods to their object, so that `module:service.handler` can use `this`.
  return typeof found === 'function' && !isClass(found) && !isModule(value)
    ? (found.bind(value) as unknown)
    : found;
}

/** Whether an imported value must be constructed with `new`: a class cannot be called. */
export function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

function isModule(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Module]';
}

function exportNames(module: Record<string, unknown>): string[] {
  const names = new Set(Object.keys(module).filter((name) => name !== 'module.exports'));
  if (names.size === 1 && names.has('default'))
    for (const name of memberNames(module.default)) names.add(name);
  return [...names].sort();
}

function memberNames(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value).sort() : [];
}
