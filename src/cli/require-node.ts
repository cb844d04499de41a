/**
 * What comes before everything else. Ends the process with one clear line on a Node.js that is too old: the executables
 * import this first, and everything else with `import()`, because what is too new for an old Node.js fails before any
 * code of the importing file runs. On the others, Node.js keeps what it compiles for the next start.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map((part) => Number(part));
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(`sqs-containers needs Node.js 24.15 or newer; this is ${process.version}.\n`);
  process.exit(78);
}

// In our own folder: others may write to the system's temporary one, and what is in the cache is run. If this user may
// not write here, nothing is kept. What an older Node.js lacks cannot be imported, only asked for.
const cache = new URL('dist/.cache', import.meta.resolve('sqs-containers/package.json'));
process.getBuiltinModule('node:module').enableCompileCache(decodeURIComponent(cache.pathname));
