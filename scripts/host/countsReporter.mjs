/** Mocha's spec reporter, which also writes { passed, failed, pending } to the file that TINY_CATS_COUNTS names. */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

export default class CountsReporter extends Mocha.reporters.Spec {
  /**
   * @param {Mocha.Runner} runner
   * @param {Mocha.MochaOptions} options
   */
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.TINY_CATS_COUNTS;
    if (!file) return;
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, pending }));
    });
  }
}
