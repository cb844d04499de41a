import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { readConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';

const TEXT = '[container]\nworker = ./adder.ts:adder\nqueue = adder\n[worker]\nname = Zoë\n';

describe('reading an ini file', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sqs-containers-'));
    file = join(folder, 'worker.ini');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives its config, and the folder that its paths are relative to', () => {
    writeFileSync(file, TEXT);
    const config = readConfig(relative(process.cwd(), file));
    expect(config.file).to.equal(relative(process.cwd(), file));
    expect(config.directory).to.equal(folder);
    expect(config.worker).to.deep.equal({ name: 'Zoë' });
  });

  it('takes variables from the environment of the process, unless it is given another', () => {
    writeFileSync(file, `${TEXT}path = \${PATH}`);
    expect(readConfig(file).worker.path).to.equal(process.env.PATH);
    expect(readConfig(file, { PATH: '/bin' }).worker.path).to.equal('/bin');
  });

  it('does not mind a byte order mark', () => {
    writeFileSync(file, `\uFEFF${TEXT}`);
    expect(readConfig(file).container.queue).to.deep.equal([{ name: 'adder', weight: 1 }]);
  });

  it('says that there is no such file', () => {
    expect(() => readConfig(file)).to.throw(
      ConfigError,
      `${file}: there is no such file; name an existing ini file`,
    );
  });

  it('says that it is a folder', () => {
    expect(() => readConfig(folder)).to.throw(ConfigError, `${folder}: this is a folder; name an ini file`);
  });

  it('says that it is not UTF-8', () => {
    writeFileSync(file, Buffer.from(TEXT, 'latin1'));
    expect(() => readConfig(file)).to.throw(
      ConfigError,
      `${file}: the file is not text in UTF-8; save it as such`,
    );
  });

  it('says why else it cannot be read, and keeps the cause', () => {
    writeFileSync(file, TEXT);
    const inside = join(file, 'worker.ini');
    expect(() => readConfig(inside))
      .to.throw(ConfigError, `${inside}: the file cannot be read: ENOTDIR`)
      .with.property('cause')
      .that.includes({ code: 'ENOTDIR' });
  });
});
