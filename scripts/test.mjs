/**
 * Runs every check in order and says how many tests passed and failed.
 *   node scripts/test.mjs [stage ...]     only these stages, and what they depend on
 * A failed stage does not end the run; only what depends on it is skipped.
 */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { runToEnd } from './host/child.mjs';
import { outDir, repositoryRoot } from './host/paths.mjs';
import { endTagged, newTag } from './host/tagged.mjs';

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {string[]} command
 * @property {number} limitS how long it may run, in seconds
 * @property {readonly string[]} needs
 * @property {string} [specs] the folder of its mocha specs, in a stage that counts tests
 *
 * @typedef {object} Result
 * @property {'passed' | 'failed' | 'skipped'} status
 * @property {number} passed tests
 * @property {number} failed tests; a failed stage that counts none has 1
 * @property {number} seconds
 * @property {string} note
 */

const node = process.execPath;
/** What the suites have measured, a line of JSON each. */
const figuresFile = join(outDir, 'counts', 'figures.jsonl');
const script = (/** @type {string} */ name) => join(repositoryRoot, 'scripts', name);
const npmRun = (/** @type {string} */ name) => ['npm', 'run', '--silent', name];
const mocha = (/** @type {string} */ area) => [
  node,
  join(repositoryRoot, 'node_modules/mocha/bin/mocha.js'),
  ...['--config', `test/${area}/.mocharc.json`, '--reporter', 'scripts/host/countsReporter.mjs'],
  `test/${area}/**/*.test.ts`,
];

/** In the order they run; those in brackets beside each other, for they measure and disturb nothing. @type {readonly (readonly Stage[])[]} */
const rounds = [
  [{ name: 'build', command: [node, script('build.mjs')], limitS: 120, needs: [] }],
  [
    { name: 'lint', command: npmRun('lint'), limitS: 600, needs: [] },
    { name: 'types', command: npmRun('typecheck'), limitS: 300, needs: [] },
    { name: 'host', command: [node, script('host/install.mjs')], limitS: 1800, needs: [] },
  ],
  [{ name: 'unit', command: mocha('unit'), limitS: 600, needs: [], specs: 'test/unit' }],
  [
    {
      name: 'container',
      command: mocha('container'),
      limitS: 900,
      needs: ['build'],
      specs: 'test/container',
    },
  ],
  // It may have to install PyTorch first.
  [{ name: 'python', command: mocha('python'), limitS: 1200, needs: ['build'], specs: 'test/python' }],
  [{ name: 'targets', command: mocha('targets'), limitS: 600, needs: ['build'], specs: 'test/targets' }],
  [{ name: 'faults', command: mocha('faults'), limitS: 480, needs: ['build'], specs: 'test/faults' }],
  [{ name: 'package', command: [node, script('package.mjs')], limitS: 120, needs: ['build'] }],
  [
    {
      name: 'in-host',
      command: [node, script('host/inhost.mjs')],
      limitS: 600,
      needs: ['build', 'host'],
      specs: 'test/inhost',
    },
  ],
  [
    {
      name: 'browser',
      command: mocha('browser'),
      limitS: 1200,
      needs: ['package', 'host'],
      specs: 'test/browser',
    },
  ],
];
const stages = rounds.flat();

/** @param {readonly string[]} names @returns {Set<string>} with everything they depend on */
function withNeeds(names) {
  const wanted = new Set(names);
  for (const { name, needs } of [...stages].reverse())
    if (wanted.has(name)) needs.forEach((need) => wanted.add(need));
  return wanted;
}

/** @param {string} folder @returns {boolean} */
function hasSpecs(folder) {
  const path = join(repositoryRoot, folder);
  return (
    existsSync(path) &&
    readdirSync(path, { recursive: true, encoding: 'utf8' }).some((file) => file.endsWith('.test.ts'))
  );
}

/**
 * @param {string} file
 * @returns {Promise<{ passed: number, failed: number } | undefined>} undefined where the suite did not come to its end
 */
async function readCounts(file) {
  try {
    const { passed, failed } = JSON.parse(await readFile(file, 'utf8'));
    return { passed: Number(passed), failed: Number(failed) };
  } catch {
    return undefined;
  }
}

/**
 * @param {Stage} stage
 * @param {boolean} isAlone its output is shown as it comes, else when it has ended
 * @returns {Promise<Result>}
 */
async function runStage({ name, command, limitS, specs }, isAlone) {
  if (isAlone) console.log(`\n=== ${name}`);
  if (specs !== undefined && !hasSpecs(specs)) {
    return { status: 'passed', passed: 0, failed: 0, seconds: 0, note: 'no tests yet' };
  }
  const countsFile = join(outDir, 'counts', `${name}.json`);
  await rm(countsFile, { force: true });
  const tag = newTag();
  const startMs = performance.now();
  const [program = node, ...args] = command;
  const { exitCode, timedOut, output } = await runToEnd(program, args, {
    output: isAlone ? 'inherit' : 'capture',
    cwd: repositoryRoot,
    env: { ...process.env, TINY_CATS_COUNTS: countsFile, TINY_CATS_FIGURES: figuresFile, [tag]: '1' },
    timeoutMs: limitS * 1000,
  });
  if (!isAlone) console.log(`\n=== ${name}\n${output.trimEnd()}`);
  // Servers, browsers and containers that a failed test left behind must not disturb the next stage.
  await endTagged(tag);
  const seconds = (performance.now() - startMs) / 1000;
  const counts = specs === undefined ? undefined : await readCounts(countsFile);
  const isComplete = specs === undefined || counts !== undefined;
  const { passed = 0, failed = 0 } = counts ?? {};
  if (exitCode === 0 && failed === 0 && isComplete)
    return { status: 'passed', passed, failed, seconds, note: '' };
  let note = `exit code ${exitCode}`;
  if (timedOut) note = `ended after its limit of ${limitS} s`;
  else if (!isComplete) note += ', it did not report its tests';
  return { status: 'failed', passed, failed: Math.max(failed, 1), seconds, note };
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !stages.some((stage) => stage.name === name));
if (unknown.length > 0) {
  console.error(
    `Unknown stage ${unknown.join(', ')}; there are ${stages.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}
const wanted = names.length === 0 ? new Set(stages.map(({ name }) => name)) : withNeeds(names);

await mkdir(join(outDir, 'counts'), { recursive: true });
await writeFile(figuresFile, '');
/** @type {Map<string, Result>} */
const results = new Map();
for (const round of rounds) {
  const chosen = round.filter(({ name }) => wanted.has(name));
  const ended = chosen.map(async (stage) => {
    const missing = stage.needs.filter((need) => results.get(need)?.status !== 'passed');
    results.set(
      stage.name,
      missing.length === 0
        ? await runStage(stage, chosen.length === 1)
        : { status: 'skipped', passed: 0, failed: 0, seconds: 0, note: `needs ${missing.join(', ')}` },
    );
  });
  await Promise.all(ended);
}

/** @type {[string, string][]} */
const figures = (await readFile(figuresFile, 'utf8'))
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line));
if (figures.length > 0) {
  const width = Math.max(...figures.map(([name]) => name.length)) + 2;
  console.log(`\n${'figure'.padEnd(width)}value`);
  for (const [name, value] of figures) console.log(`${name.padEnd(width)}${value}`);
}

console.log(
  `\n${'stage'.padEnd(11)}${'result'.padEnd(9)}${'passed'.padStart(7)}${'failed'.padStart(7)}${'time'.padStart(9)}`,
);
for (const [name, { status, passed, failed, seconds, note }] of results) {
  const figures = `${String(passed).padStart(7)}${String(failed).padStart(7)}${`${seconds.toFixed(1)} s`.padStart(9)}`;
  console.log(`${name.padEnd(11)}${status.padEnd(9)}${figures}  ${note}`.trimEnd());
}
/** @param {'passed' | 'failed'} key */
const total = (key) => [...results.values()].reduce((sum, result) => sum + result[key], 0);
console.log(`\n${total('passed')} passed, ${total('failed')} failed`);
process.exitCode = total('failed') === 0 ? 0 : 1;
