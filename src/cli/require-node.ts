/**
 * Ends the process with one clear line on a Node.js that is too old. The executables import it first, and everything
 * else with `import()`, because what is too new for an old Node.js fails before any code of the importing file runs.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map((part) => Number(part));
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(`sqs-containers needs Node.js 24.15 or newer; this is ${process.version}.\n`);
  process.exit(78);
}
