// Stops `npm test` with one clear line when it would run on a Node.js that the product does not support.
const [major = 0, minor = 0] = process.versions.node.split('.').map((part) => Number(part));
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `Node.js 24.15 or newer is needed, this is ${process.version}: run 'npm ci', which installs one.`,
  );
  process.exit(1);
}
