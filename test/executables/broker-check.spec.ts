import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { cleanUp, folderWith, run } from '../support/executable.ts';

/** An ini file with this broker. */
const ini = (broker: string) =>
  `[container]\nworker = ./worker.mjs:worker\nqueue = jobs\nbroker = ${broker}\n`;
const FILES = {
  'worker.mjs': 'export const worker = () => () => {};',
  'broker.mjs': `
import { mkdirSync } from 'node:fs';
export class Mine {
  constructor() { mkdirSync('opened'); }
}
export const text = 'mine';
`,
};

describe('--check of an ini file with a broker that is', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  async function check(broker: string, environment = {}) {
    const folder = folderWith({ ...FILES, 'worker.ini': ini(broker) });
    const { stdout, stderr, ended } = await run('sequential', ['worker.ini', '--check'], {
      folder,
      environment,
    });
    expect(readdirSync(folder)).not.to.include('opened');
    return { stdout, stderr, ended };
  }

  it('custom imports it, and does not open it', async () => {
    const { stdout, stderr, ended } = await check('./broker.mjs:Mine');
    expect({ stderr, ended }).to.deep.equal({ stderr: '', ended: 0 });
    expect(stdout).to.contain('\nbroker = ./broker.mjs:Mine\n');
  });

  it('missing reports that, with the possible values', async () => {
    const [missing, wrong] = await Promise.all([check('rabbit:Broker'), check('./broker.mjs:text')]);
    expect([missing.ended, wrong.ended]).to.deep.equal([78, 78]);
    expect(missing.stderr)
      .to.match(/^Cannot load the broker rabbit:Broker: Cannot find module rabbit: /)
      .and.contain('Valid broker addresses: sqs, ');
    expect(wrong.stderr).to.match(/^\.\/broker\.mjs:text is not a broker: /);
  });

  it('on a server shows no password, nor does an invalid one', async () => {
    for (const address of ['postgres://me:s3/cret@host/queues', 'redis://host?password=s3/cret']) {
      const [right, wrong] = await Promise.all([
        check(address.replace('/cret', '%2Fcret')),
        check(address.replace('://', '://[')),
      ]);
      expect([right.ended, wrong.ended], right.stderr).to.deep.equal([0, 78]);
      expect(right.stdout)
        .to.match(/^broker = .*\*\*\*/m)
        .and.not.contain('cret');
      expect(wrong.stderr).to.contain('***').and.not.contain('cret');
    }
  });
});
