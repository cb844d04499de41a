// Stops `npm test` with a clear message on a Node.js version that the product does not support.
const [major = 0, minor = 0] = process.versions.node.split('.').map((part) => Number(part));
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `This is Node.js ${process.version}, but 24.15 or later is required: run 'npm ci', which installs it.`,
  );
  process.exit(1);
}
