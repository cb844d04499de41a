/**
 * The code in the markdown files. A block that names a file behind its language (```ts tasks/mails.ts) shows that file
 * of the page's folder: `code/PAGE/` beside the page. An HTML comment right before a block is code that it needs and
 * readers do not: <!-- declare const clock: SinonFakeTimers; -->
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

export const REPOSITORY = resolve(import.meta.dirname, '../..');

export interface CodeBlock {
  /** The markdown file, relative to the repository, as are all paths here. */
  readonly page: string;
  readonly line: number;
  readonly language: string;
  /** The file that it shows. */
  readonly file: string | undefined;
  readonly text: string;
  /** What is hidden from readers. */
  readonly hidden: string;
}

/** The markdown files of the repository. */
export function pages(): string[] {
  return globSync(['*.md', '{docs,examples}/**/*.md'], { cwd: REPOSITORY }).sort();
}

/** Where the files are that a page shows. */
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
