/** The entry of the in-host suite: VS Code loads this bundle into its extension host and calls `run`. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';

/** Marks the suite's own lines among all that a workbench writes to its console. */
const linePrefix = '[in-host] ';

function printLines(...data: unknown[]): void {
  for (const line of format(...data).split('\n')) console.log(linePrefix + line);
}

/**
 * Runs every bundled `*.test.js` beside this file.
 * Writes `{ passed, failed, pending }` to the file that TINY_CATS_COUNTS names, also when everything passed.
 * @throws when a test failed
 */
export async function run(): Promise<void> {
  const { default: Mocha } = await import('mocha');
  Mocha.reporters.Base.consoleLog = printLines;
  const mocha = new Mocha({ ui: 'bdd', reporter: 'spec', timeout: 60_000, color: false });
  for (const file of readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith('.test.js')) mocha.addFile(join(__dirname, file));
  }
  await mocha.loadFilesAsync();
  const { passes, failures, pending } = await new Promise<Mocha.Stats>((resolve) => {
    const runner = mocha.run(() => {
      resolve(runner.stats ?? { suites: 0, tests: 0, passes: 0, pending: 0, failures: 1 });
    });
  });
  const countsFile = process.env.TINY_CATS_COUNTS;
  if (countsFile) writeFileSync(countsFile, JSON.stringify({ passed: passes, failed: failures, pending }));
  if (failures > 0) throw new Error(`${failures} of the in-host tests failed`);
}
