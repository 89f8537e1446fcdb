/**
 * Compiles the AssemblyScript kernels to kernels.wasm (SIMD) and kernels-relaxed.wasm (relaxed SIMD with FMA), and those
 * for the memory that workers share to kernels-shared.wasm.
 */
import { mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const sources = join(dirname(dirname(self)), 'src', 'container', 'engines', 'wasm', 'assembly');
const variants = [
  { file: 'kernels.wasm', entry: 'index.ts', options: ['--enable=simd'] },
  { file: 'kernels-relaxed.wasm', entry: 'index.ts', options: ['--enable=simd', '--enable=relaxed-simd'] },
  {
    file: 'kernels-shared.wasm',
    entry: 'shared.ts',
    options: ['--enable=simd', '--enable=threads', '--sharedMemory', '--maximumMemory=65536'],
  },
];

async function modifiedMs(path) {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return 0;
  }
}

async function newestSourceMs() {
  const files = (await readdir(sources)).map((name) => join(sources, name));
  return Math.max(...(await Promise.all([...files, self].map(modifiedMs))));
}

/** Section ids in a wasm binary, in order. */
function sectionIds(binary) {
  const ids = [];
  for (let at = 8; at < binary.length;) {
    ids.push(binary[at++]);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = binary[at++];
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  return ids;
}

async function compile(asc, { file, entry, options }, outDir) {
  let binary;
  const { error, stderr } = await asc.main(
    [
      entry,
      `--baseDir=${sources}`,
      '--outFile=kernels.wasm',
      '-O3',
      '--noAssert',
      '--runtime=stub',
      '--importMemory',
      '--use=abort=',
      ...options,
    ],
    {
      readFile: (name, baseDir) => readFile(resolve(baseDir, name), 'utf8').catch(() => null),
      writeFile: (name, contents) => {
        if (name === 'kernels.wasm') binary = contents;
      },
    },
  );
  if (error !== null) throw new Error(`Compiling ${file} failed: ${error.message}\n${stderr.toString()}`);
  const dataSection = 11;
  if (sectionIds(binary).includes(dataSection)) {
    throw new Error(`${file} has static data, which would overwrite that of the module whose heap it shares`);
  }
  const target = join(outDir, file);
  const temporary = `${target}.${process.pid}.tmp`;
  await writeFile(temporary, binary);
  await rename(temporary, target);
}

/** Writes both modules into `outDir` unless they are newer than every source. Returns true where it compiled. */
export async function buildKernels(outDir) {
  const newest = await newestSourceMs();
  const ages = await Promise.all(variants.map(({ file }) => modifiedMs(join(outDir, file))));
  if (Math.min(...ages) > newest) return false;
  await mkdir(outDir, { recursive: true });
  const { default: asc } = await import('assemblyscript/asc');
  for (const variant of variants) await compile(asc, variant, outDir);
  return true;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === self) {
  const outDir = process.argv[2] ?? join(dirname(dirname(self)), 'dist', 'wasm');
  console.log(
    (await buildKernels(outDir)) ? `Compiled the kernels into ${outDir}` : 'The kernels are up to date',
  );
}
