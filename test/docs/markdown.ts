/**
 * The code in the markdown files. A block that names a file after its language (```ts tasks/mails.ts) shows that file from
 * the page's folder: `code/PAGE/` next to the page. An HTML comment right before a block is code that the block needs and
 * readers do not: <!-- declare const clock: SinonFakeTimers; -->
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

export const REPOSITORY = resolve(import.meta.dirname, '../..');

export interface CodeBlock {
  /** The markdown file, relative to the repository, like all paths here. */
  readonly page: string;
  readonly line: number;
  readonly language: string;
  /** The file that the block shows. */
  readonly file: string | undefined;
  readonly text: string;
  /** The code that is hidden from readers. */
  readonly hidden: string;
}

/** The markdown files in the repository. */
export function pages(): string[] {
  return globSync(['*.md', '{docs,examples}/**/*.md'], { cwd: REPOSITORY }).sort();
}

/** The folder of the files that a page shows. */
export function codeFolder(page: string): string {
  return join(dirname(page), 'code', basename(page, '.md'));
}

/** The code blocks of a page, in order. */
export function codeBlocks(page: string): CodeBlock[] {
  const markdown = readFileSync(join(REPOSITORY, page), 'utf8');
  const blocks = markdown.matchAll(/(?:^<!-- (.*) -->\n)?^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm);
  return [...blocks].map(({ index, 1: hidden = '', 2: language = '', 3: file, 4: text = '' }) => ({
    page,
    line: markdown.slice(0, index).split('\n').length,
    language,
    file: file && join(codeFolder(page), file),
    text,
    hidden,
  }));
}
