/**
 * Builds dist/: our own JavaScript in a few files, the declarations reachable from the entries of package.json, and the
 * status page. Packages are not bundled; they are imported from node_modules. Our own files are bundled because a process
 * starts faster with a few files than with hundreds; modules loaded with `import()` stay separate and load when needed.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { keepReachable } from './declarations.ts';

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

const { bin, exports } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const executables = Object.values(bin);
const entries = Object.values(exports).filter((entry) => typeof entry !== 'string');

// Output of deleted sources must not be packed.
rmSync('dist', { recursive: true, force: true });
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
keepReachable(
  'dist',
  entries.map(({ types }) => types),
);

await build({
  entryPoints: [...executables, ...entries.map((entry) => entry.default)].map((file) =>
    file.replace(/^(\.\/)?dist\/(.*)\.js$/, '$2.ts'),
  ),
  outdir: 'dist',
  outbase: '.',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node24.15',
  logLevel: 'warning',
});

const PAGE = 'src/observe/status/page';
const page = await build({
  entryPoints: [join(PAGE, 'page.ts'), join(PAGE, 'page.css')],
  outdir: 'dist/page',
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  metafile: true,
  logLevel: 'warning',
});
for (const file of ['index.html', 'icon.svg']) copyFileSync(join(PAGE, file), join('dist/page', file));
// Browsers cannot import packages, so the page bundles the ones it uses. Their licenses must ship with it.
for (const input of Object.keys(page.metafile.inputs)) {
  const [folder] = /^node_modules\/(@[^/]+\/)?[^/]+/.exec(input) ?? [];
  if (folder) copyFileSync(join(folder, 'LICENSE'), `dist/page/LICENSE-${basename(folder)}.txt`);
}

// For running them from a clone: npm sets the mode only when it installs the package.
for (const file of executables) chmodSync(file, 0o755);
