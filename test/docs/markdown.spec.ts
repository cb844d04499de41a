import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { type CodeBlock, codeBlocks, codeFolder, pages, REPOSITORY } from './markdown.ts';

const COMPILER_OPTIONS = {
  module: 'nodenext',
  target: 'es2024',
  strict: true,
  exactOptionalPropertyTypes: true,
  allowImportingTsExtensions: true,
  moduleDetection: 'force',
  skipLibCheck: true,
  noEmit: true,
  types: ['node', 'mocha'],
  paths: Object.fromEntries(
    Object.entries({
      'sqs-containers': 'src/index.d.ts',
      'sqs-containers/broker': 'src/brokers/index.d.ts',
      'sqs-containers/broker-contract': 'src/contract/contract.d.ts',
      'sqs-containers/tasks': 'src/tasks/worker.d.ts',
      'sqs-containers/test': 'containers/test.d.ts',
    }).map(([name, file]) => [name, [join(REPOSITORY, 'dist', file)]]),
  ),
};

describe('the code in the markdown files', () => {
  const blocks = pages().flatMap(codeBlocks);
  const place = ({ page, line }: CodeBlock) => `${page}:${line}`;
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'markdown-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('equals the files that it names', () => {
    const named = blocks.filter(({ file }) => file !== undefined);
    expect(named).not.to.be.empty;
    for (const block of named) {
      expect(block.text, place(block)).to.equal(readFileSync(join(REPOSITORY, block.file!), 'utf8'));
    }
  });

  it('shows every file in the code folders', () => {
    const files = pages().flatMap((page) => globSync(`${codeFolder(page)}/**/*.*`, { cwd: REPOSITORY }));
    expect(blocks.map(({ file }) => file)).to.include.members(files);
  });

  it('compiles', async function () {
    this.timeout(60_000);
    symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER_OPTIONS }));
    for (const block of blocks.filter(({ language, file }) => language === 'ts' && !file)) {
      const snippet = join(folder, codeFolder(block.page), `line-${block.line}.ts`);
      mkdirSync(dirname(snippet), { recursive: true });
      writeFileSync(snippet, `${block.hidden}\n${block.text}`);
    }
    for (const page of pages()) {
      const code = codeFolder(page);
      if (existsSync(join(REPOSITORY, code)))
        cpSync(join(REPOSITORY, code), join(folder, code), { recursive: true });
    }
    await compile(folder);
  });
});

/** Rejects with the compiler's output. */
function compile(folder: string): Promise<void> {
  const compiler = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [compiler, '-p', folder], { cwd: folder }, (error, stdout) => {
      if (error) reject(new Error(stdout));
      else resolve();
    });
  });
}
