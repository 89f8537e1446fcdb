/** Bundles host, container, trainer, command line and webviews into dist/, with the Python trainer, and compiles the wasm kernels. */
import { cp, mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import { buildKernels } from './build-kernels.mjs';
import { buildTrainer, common, forNode } from './build-trainer.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const require = createRequire(import.meta.url);
const production = !process.argv.includes('--dev');

/** Files that the trainer loads at run time from dist/wasm. */
const wasmFiles = [
  ['@tensorflow/tfjs-backend-wasm', 'dist/tfjs-backend-wasm-simd.wasm'],
  ['@jsquash/jpeg', 'codec/dec/mozjpeg_dec.wasm'],
  ['@jsquash/webp', 'codec/dec/webp_dec.wasm'],
];

const shared = common({ production });

/** @type {Record<string, import('esbuild').BuildOptions>} */
const bundles = {
  extension: { entryPoints: ['src/extension.ts'], external: ['vscode'] },
  container: { entryPoints: ['src/container/supervisor/main.ts'] },
  'decode-worker': { entryPoints: ['src/container/data/decodeWorker.ts'] },
  // Loaded when a Modal app is exported: it holds a parser of Python.
  'modal-export': { entryPoints: ['src/modalExport/exportModalApp.ts'] },
  askpass: { entryPoints: ['src/targets/ssh/askpassMain.ts'] },
  sweep: { entryPoints: ['src/sweep/main.ts'] },
  cli: { entryPoints: ['src/cli/main.ts'], banner: { js: '#!/usr/bin/env node' } },
  'target-docker': {
    entryPoints: ['src/targets/docker/bundle.ts'],
    // dockerode needs these for BuildKit alone, which we do not ask it for.
    alias: Object.fromEntries(
      ['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs'].map((name) => [name, './scripts/nothing.cjs']),
    ),
  },
  'target-modal': { entryPoints: ['src/targets/modal/bundle.ts'] },
};

/** What speaks to one kind of target is loaded when such a target is used: dist/target-<kind>.js. */
const lazyTargets = {
  name: 'lazy targets',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /^\.\/bundle$/ }, ({ importer }) => ({
      path: `./target-${basename(dirname(importer))}.js`,
      external: true,
    }));
  },
};

await rm(dist, { recursive: true, force: true });
await mkdir(join(dist, 'wasm'), { recursive: true });

await Promise.all([
  buildKernels(join(dist, 'wasm')),
  buildTrainer(dist, { production }),
  ...Object.entries(bundles).map(([name, options]) =>
    esbuild.build({
      ...shared,
      ...forNode,
      plugins: [lazyTargets],
      // Optional native accelerators of ws; the bundle runs without them.
      outfile: join(dist, `${name}.js`),
      ...options,
      external: [...(options.external ?? []), 'bufferutil', 'utf-8-validate'],
    }),
  ),
  esbuild.build({
    ...shared,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    entryPoints: { panel: 'webview/panel/main.ts', inspector: 'webview/inspector/main.ts' },
    outdir: join(dist, 'webview'),
    loader: { '.svg': 'dataurl' },
  }),
  // The Python trainer, as it is.
  cp(join(root, 'src', 'container', 'python'), join(dist, 'python'), {
    recursive: true,
    filter: (path) => !path.includes('__pycache__'),
  }),
  cp(join(root, 'containers'), join(dist, 'containers'), { recursive: true }),
  ...wasmFiles.map(([name, file]) =>
    cp(
      join(dirname(require.resolve(`${name}/package.json`)), file),
      join(dist, 'wasm', file.split('/').at(-1)),
    ),
  ),
]);
