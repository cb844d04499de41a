/** The files of the page, as the build has made them (`scripts/bundle.ts`). */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface Asset {
  readonly type: string;
  readonly body: string;
}

/** The paths under which they are served. */
const FILES = {
  '/': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
  '/page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
  '/icon.svg': { file: 'icon.svg', type: 'image/svg+xml' },
} as const;

export type AssetPath = keyof typeof FILES;

export const ASSET_PATHS = Object.keys(FILES) as AssetPath[];

/** Reads a file of the page. Throws if the package was not built. */
export function readAsset(path: AssetPath): Asset {
  const { file, type } = FILES[path];
  const folder = dirname(createRequire(import.meta.url).resolve('sqs-containers/package.json'));
  return { type, body: readFileSync(join(folder, 'dist/page', file), 'utf8') };
}
