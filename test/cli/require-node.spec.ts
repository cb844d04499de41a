import { expect } from 'chai';
import { cleanUp, folderWith, run } from '../support/executable.ts';
import { settings } from '../support/executable-brokers.ts';

/** Counts the imports that Node.js resolves for a package: hooks that are registered later run first. */
const COUNTING = `
  import { registerHooks } from 'node:module';
  let count = 0;
  registerHooks({
    resolve(specifier, context, next) {
      if (/node_modules.(kysely|zod)/.test(context.parentURL ?? '')) count += 1;
      return next(specifier, context);
    },
  });
  process.on('exit', () => console.log('resolved', count));
`;

describe('the start of an executable', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('does not look up the files that kysely and zod import from each other', async () => {
    const folder = folderWith({
      'worker.ini': settings('worker'),
      'worker.mjs': 'export const worker = () => () => {};',
      'counting.mjs': COUNTING,
    });
    const environment = { NODE_OPTIONS: '--import=./counting.mjs' };
    const container = await run('sequential', ['worker.ini', '--idle-exit', '20ms'], { folder, environment });
    expect(container.ended, container.stderr).to.equal(0);
    expect(container.stdout).to.equal('resolved 0\n');
  });
});
