/**
 * Runs before everything else. If Node.js is too old, exits with one clear line. The executables import this file first
 * and everything else with `import()`: an old Node.js fails to parse our code before any code of the importing file
 * runs. Otherwise, enables Node.js's compile cache, for faster starts.
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
process.getBuiltinModule('node:module').enableCompileCache(decodeURIComponent(cache.pathname));
