/** Bundles the trainer, its worker threads and the evaluation. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What all bundles have in common. @param {{ production: boolean }} options @returns {import('esbuild').BuildOptions} */
export const common = ({ production }) => ({
  bundle: true,
  minify: production,
  keepNames: production,
  sourcemap: production ? false : 'inline',
  legalComments: 'none',
  logLevel: 'warning',
  absWorkingDir: root,
});

/** What all bundles for Node have in common. @type {import('esbuild').BuildOptions} */
export const forNode = {
  platform: 'node',
  target: 'node20',
  format: 'cjs',
};

/** @type {Record<string, string>} */
const entries = {
  trainer: 'src/container/trainer/main.ts',
  'trainer-worker': 'src/container/parallel/worker.ts',
  // Loaded by the command line when it evaluates.
  evaluate: 'src/container/evaluate/main.ts',
};

/** Those that start with a container: what of them V8 has compiled is kept from one start to the next. */
const cached = ['trainer', 'trainer-worker'];

/**
 * Writes trainer.js, trainer-worker.js and evaluate.js, or those that are named, into `outDir`.
 * @param {string} outDir @param {{ production: boolean, names?: string[] }} options
 */
export async function buildTrainer(outDir, { production, names = Object.keys(entries) }) {
  await Promise.all(
    names.map(async (name) => {
      const isCached = cached.includes(name);
      const outfile = join(outDir, isCached ? 'code' : '', `${name}.js`);
      await esbuild.build({
        ...common({ production }),
        ...forNode,
        // The ESM builds of tfjs can be tree-shaken; the CommonJS ones cannot.
        mainFields: ['module', 'main'],
        // What tfjs would download with where there is no fetch; Node 20 has one.
        alias: { 'node-fetch': './scripts/nothing.cjs' },
        entryPoints: [entries[name] ?? name],
        outfile,
      });
      if (isCached) await buildStart(outDir, name, await readFile(outfile), production);
    }),
  );
}

/** @param {string} outDir @param {string} name @param {Buffer} bundle @param {boolean} production */
async function buildStart(outDir, name, bundle, production) {
  const hash = createHash('sha256').update(bundle).digest('hex').slice(0, 16);
  await esbuild.build({
    ...common({ production }),
    ...forNode,
    entryPoints: ['src/container/codeCache.ts'],
    define: { BUNDLE_NAME: JSON.stringify(name), BUNDLE_HASH: JSON.stringify(hash) },
    outfile: join(outDir, `${name}.js`),
  });
}
