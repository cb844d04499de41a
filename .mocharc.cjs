// How mocha runs the specs: all of them, or only the files and folders on its command line. A `spec` that is always set
// would be added to those.
const { existsSync } = require('node:fs');

/** The files that `mocha FOLDER` finds in it: not the helpers next to the specs. */
const extension = ['spec.ts'];

const namesSpecs = process.argv
  .slice(2)
  .some((argument) => !argument.startsWith('-') && (argument.includes('/') || existsSync(argument)));

module.exports = {
  ...(!namesSpecs && { spec: ['test', 'examples'] }),
  extension,
  recursive: true,
  require: ['test/support/mocha-setup.ts'],
  'node-option': ['import=tsx', 'no-experimental-require-module'],
  parallel: true,
  jobs: 3,
  timeout: 10_000,
  'forbid-only': true,
};
