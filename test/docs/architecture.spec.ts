import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { codeBlocks, REPOSITORY } from './markdown.ts';

const PAGE = 'docs/architecture.md';
const text = readFileSync(join(REPOSITORY, PAGE), 'utf8');

describe('docs/architecture.md', () => {
  it('shows the run loop as it is', () => {
    const source = readFileSync(join(REPOSITORY, 'src/consumer/consumer.ts'), 'utf8').replace(/^ {2}/gm, '');
    const [loop] = codeBlocks(PAGE).filter(({ language }) => language === 'typescript');
    expect(source).to.contain(loop!.text);
  });

  it('has each file of the run loop in its table, and no other', () => {
    const named = [...text.matchAll(/^\|(.*?)\|/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`([\w/.-]+\.ts)`/g)].map(([, file]) => file!),
    );
    const files = globSync('*.ts', { cwd: join(REPOSITORY, 'src/consumer') });
    expect(named.filter((file) => !file.includes('/'))).to.have.members(files);
    expect(named.filter((file) => file.includes('/') && !existsSync(join(REPOSITORY, file)))).to.deep.equal(
      [],
    );
  });

  it('has each folder of src', () => {
    const folders = globSync('src/*/', { cwd: REPOSITORY }).map((folder) => folder.split('/')[1]!);
    expect([...text.matchAll(/^ {2}(\w+)\/ /gm)].map(([, folder]) => folder!)).to.include.members(folders);
  });
});
