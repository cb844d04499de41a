/**
 * Makes the JavaScript of dist/, beside the declarations that tsc has put there. What package.json lists under
 * `dependencies`, `optionalDependencies` and `peerDependencies` stays outside; all else is bundled, because some files
 * start twice as fast as the hundreds of a node_modules. What is imported with `import()` stays in files of its own and is loaded only when needed.
 */
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { licensesOf } from './licenses.ts';

interface Manifest {
  readonly bin: Record<string, string>;
  readonly exports: Record<string, string | { readonly default: string }>;
  readonly dependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
}

const { bin, exports, dependencies, optionalDependencies, peerDependencies } = JSON.parse(
  readFileSync('package.json', 'utf8'),
) as Manifest;
const modules = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : entry.default));

/**
 * Gives CommonJS packages the built-in modules, which `require` cannot in an ES module. node:http always comes this
 * way: an import reads all its exports, and one of them loads undici, for 20 ms and for nothing.
 */
const builtinModules: Plugin = {
  name: 'builtin-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[\w:/]+$/ }, ({ path, kind }) =>
      isBuiltin(path) && (kind === 'require-call' || path === 'node:http')
        ? { path, namespace: 'builtin', sideEffects: false }
        : undefined,
    );
    onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}');`,
    }));
  },
};

/**
 * Takes the packages that stay outside in where CommonJS packages require them, which an ES module cannot: prom-client
 * does so with @opentelemetry/api, for what is not used here.
 */
const requiredPackages: Plugin = {
  name: 'required-packages',
  setup({ onResolve }) {
    onResolve({ filter: /^@opentelemetry\/api$/ }, ({ kind }) =>
      kind === 'require-call'
        ? { path: createRequire(import.meta.url).resolve('@opentelemetry/api') }
        : undefined,
    );
  },
};

const { metafile } = await build({
  entryPoints: [...Object.values(bin), ...modules].map((file) =>
    file.replace(/^(\.\/)?dist\/(.*)\.js$/, '$2.ts'),
  ),
  outdir: 'dist',
  outbase: '.',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24.15',
  mainFields: ['module', 'main'],
  external: Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }),
  // The version that this project has, for yargs, too: its own prepares for all emoji and scripts, which takes 26 ms.
  alias: { 'string-width': 'string-width' },
  // Leaves winston's diagnostics for its developers out.
  define: { 'process.env.NODE_ENV': '"production"' },
  plugins: [builtinModules, requiredPackages],
  metafile: true,
  logLevel: 'warning',
});
const page = await build({
  entryPoints: ['src/observe/status/page/page.ts', 'src/observe/status/page/page.css'],
  outdir: 'dist/page',
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  metafile: true,
  logLevel: 'warning',
});
for (const file of ['index.html', 'icon.svg']) {
  copyFileSync(join('src/observe/status/page', file), join('dist/page', file));
}
writeFileSync('dist/LICENSES.txt', licensesOf(metafile, page.metafile));
// For running them from a clone: only npm sets the mode, and only where it installs the package.
for (const file of Object.values(bin)) chmodSync(file, 0o755);
