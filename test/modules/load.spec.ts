import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadExpression, ModuleLoadError } from '../../src/modules/load.ts';
import { rejection } from '../support/rejection.ts';

const fixtures = join(import.meta.dirname, '../worker/fixtures');

function failure(expression: string, directory = fixtures): Promise<Error> {
  return rejection(loadExpression(expression, directory));
}

describe('importing module:expr', () => {
  it('finds an export of a TypeScript module relative to the folder of the ini file', async () => {
    expect(await loadExpression('./workers.ts:plain', fixtures)).to.be.a('function');
    expect(await loadExpression('workers.ts:plain', fixtures)).to.be.a('function');
    expect(await loadExpression('../fixtures/workers.ts:default', fixtures)).to.be.a('function');
    expect(await loadExpression(`${fixtures}/workers.ts:plain`, '/')).to.be.a('function');
  });

  it('finds an export of a CommonJS module', async () => {
    expect(await loadExpression('./plain.cjs:factory', fixtures)).to.be.a('function');
  });

  it('follows a dotted path', async () => {
    expect(await loadExpression('./workers.ts:services.mail.factory', fixtures)).to.be.a('function');
    expect(await loadExpression('./workers.ts:services.mail.port', fixtures)).to.equal(25);
  });

  describe('from a package', () => {
    let directory: string;
    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'load-'));
      const home = join(directory, 'node_modules', '@acme', 'workers');
      mkdirSync(home, { recursive: true });
      const manifest = {
        name: '@acme/workers',
        type: 'module',
        exports: { './mail': { import: './mail.js' } },
      };
      writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
      writeFileSync(join(home, 'mail.js'), 'export const factory = () => () => {};');
    });
    after(() => rmSync(directory, { recursive: true }));

    it('finds packages installed next to the ini file, by their exports', async () => {
      expect(await loadExpression('@acme/workers/mail:factory', directory)).to.be.a('function');
    });

    it('reports a missing package', async () => {
      const error = await failure('@acme/nothing:factory', directory);
      expect(error).to.be.instanceOf(ModuleLoadError);
      expect(error.message).to.equal(
        `Cannot find module @acme/nothing: there is no file ${directory}/@acme/nothing, and no package with that name can be imported from ${directory}.`,
      );
    });
  });

  it('reports which file is missing', async () => {
    const error = await failure('./missing.ts:factory');
    expect(error).to.be.instanceOf(ModuleLoadError);
    expect(error.message).to.equal(
      `Cannot find module ./missing.ts: the file ${fixtures}/missing.ts does not exist.`,
    );
  });

  it('reports which export is missing and which exist', async () => {
    expect((await failure('./workers.ts:plane')).message).to.equal(
      './workers.ts has no export "plane". It has: Adder, Two, calls, default, failing, nothing, number, plain, raw, services, slow.',
    );
    expect((await failure('./workers.ts:services.sms')).message).to.equal(
      './workers.ts:services has no member "sms". It has: mail.',
    );
  });

  it('reports why a module failed to load, and keeps the cause', async () => {
    const error = await failure('./broken.ts:factory');
    expect(error.message).to.equal('The module ./broken.ts failed to load: cannot be imported');
    expect(error.cause).to.be.instanceOf(Error);
  });

  it('explains what an expression looks like', async () => {
    for (const expression of ['workers.ts', ':plain', 'workers.ts:']) {
      expect((await failure(expression)).message).to.contain('is not module:expr');
    }
  });
});
