/**
 * Runs before everything else. If Node.js is too old, exits with one clear line. The executables import this file first
 * and everything else with `import()`: an old Node.js fails to parse our code before any code of the importing file
 * runs. Otherwise, makes starts faster: enables Node.js's compile cache, and shortens the lookup of imported files.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map((part) => Number(part));
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(`sqs-containers needs Node.js 24.15 or newer; this is ${process.version}.\n`);
  process.exit(78);
}

// The cache is in our own folder, because cached code is executed, and other users can write to the system's temporary
// folder. If this user cannot write here, nothing is cached. A static import of `node:module` would fail on an older
// Node.js that lacks the function.
const cache = new URL('dist/.cache', import.meta.resolve('sqs-containers/package.json'));
const { enableCompileCache, registerHooks } = process.getBuiltinModule('node:module');
enableCompileCache(decodeURIComponent(cache.pathname));

// Node.js looks each imported file up and follows its symbolic links. Kysely and zod have a thousand imports between
// hundreds of files, and the lookups were a sixth of a start. Their files and ours are where the import says. Other
// packages may depend on the lookup, for example on its error for a missing file.
const ownFiles = new URL('.', cache).href;
registerHooks({
  resolve(specifier, context, next) {
    const { parentURL = '' } = context;
    const isKnown = parentURL.startsWith(ownFiles) || /\/node_modules\/(kysely|zod)\//.test(parentURL);
    if (isKnown && specifier.startsWith('.') && context.conditions.includes('import')) {
      return { url: new URL(specifier, parentURL).href, shortCircuit: true };
    }
    return next(specifier, context);
  },
});
