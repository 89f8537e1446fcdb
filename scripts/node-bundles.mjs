/** What runs on Node beside the trainer: the extension, the container, the command line and what they load when needed. */
import { basename, dirname } from 'node:path';
import { common, forNode } from './build-trainer.mjs';

/** @type {Record<string, import('esbuild').BuildOptions>} */
const bundles = {
  extension: { entryPoints: ['src/extension.ts'], external: ['vscode'] },
  container: { entryPoints: ['src/container/supervisor/main.ts'] },
  'batch-worker': { entryPoints: ['src/container/data/batchWorker.ts'] },
  'decode-worker': { entryPoints: ['src/container/data/decodeWorker.ts'] },
  // Loaded when a Modal app is exported: it holds a parser of Python.
  'modal-export': { entryPoints: ['src/modalExport/exportModalApp.ts'] },
  // Loaded where TypeScript of the user's own is trained: it holds a parser.
  'describe-typescript': { entryPoints: ['src/typescript/describe.ts'] },
  askpass: { entryPoints: ['src/targets/ssh/askpassMain.ts'] },
  sweep: { entryPoints: ['src/sweep/main.ts'] },
  cli: {
    entryPoints: ['src/cli/main.ts'],
    // Its other build requires parts of itself in a way that cannot be bundled.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
    banner: { js: '#!/usr/bin/env node' },
  },
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

export const nodeBundles = Object.keys(bundles);

/**
 * How one of them is bundled; the caller says where to.
 * @param {string} name @param {{ production: boolean }} options @returns {import('esbuild').BuildOptions}
 */
export function nodeBundle(name, { production }) {
  const options = bundles[name];
  return {
    ...common({ production }),
    ...forNode,
    plugins: [lazyTargets],
    ...options,
    // Optional native accelerators of ws; the bundle runs without them.
    external: [...(options?.external ?? []), 'bufferutil', 'utf-8-validate'],
  };
}
