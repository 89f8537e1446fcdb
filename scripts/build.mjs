/** Bundles host, container, trainer, command line and webviews into dist/, with the Python trainer, and compiles the wasm kernels. */
import { cp, mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import { buildKernels } from './build-kernels.mjs';
import { buildTrainer, common } from './build-trainer.mjs';
import { nodeBundle, nodeBundles } from './node-bundles.mjs';

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

await rm(dist, { recursive: true, force: true });
await mkdir(join(dist, 'wasm'), { recursive: true });

await Promise.all([
  buildKernels(join(dist, 'wasm')),
  buildTrainer(dist, { production }),
  ...nodeBundles.map((name) =>
    esbuild.build({ ...nodeBundle(name, { production }), outfile: join(dist, `${name}.js`) }),
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
