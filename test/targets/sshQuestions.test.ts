import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UserQuestions } from '../../src/host/targets/userQuestions';
import { TargetBench, newRoot } from './support/bench';
import { box } from './support/box';
import { Sshd, sshdObstacle } from './support/sshd';

const PASS_PHRASE = 'a "pass" phrase $HOME 猫';

describe('what ssh asks, asked by VS Code', function () {
  this.timeout(60_000);
  const close: (() => Promise<void>)[] = [];
  let sshd: Sshd;
  let bench: TargetBench;
  let asked: string[];
  /** What the user answers, by what is asked. */
  let answers: { secret: string | undefined; confirm: string | undefined };
  let questions: UserQuestions;

  before(async function () {
    const obstacle = sshdObstacle();
    if (obstacle !== undefined) {
      console.log(`      not tested here: ${obstacle}`);
      this.skip();
    }
    sshd = await Sshd.start();
    close.push(() => sshd.stop());
    await promisify(execFile)('ssh-keygen', ['-q', '-p', '-N', PASS_PHRASE, '-f', join(sshd.dir, 'client')]);
  });
  after(async () => {
    for (const one of close) {
      await one();
    }
  });

  beforeEach(async () => {
    await sshd.forget();
    asked = [];
    answers = { secret: PASS_PHRASE, confirm: 'Yes' };
    questions = new UserQuestions({
      showInputBox: (options = {}) => {
        assert.equal(options.password, true);
        asked.push(options.prompt ?? '');
        return Promise.resolve(answers.secret);
      },
      showWarningMessage: (title: string, options: unknown) => {
        asked.push(`${title} ${JSON.stringify(options)}`);
        // The one overload of several that is called answers with a button's title.
        return Promise.resolve(answers.confirm as never);
      },
    });
    const sshProgram = await sshd.client();
    const root = await newRoot();
    const deps = () => ({ sshProgram, ask: questions });
    bench = await TargetBench.open({ root, config: box(root), deps, startPhases: [] });
  });
  afterEach(() => bench.dispose());

  it('is the trust in an unknown host, by its fingerprint, and the pass phrase of a key; then nothing', async () => {
    assert.equal(await bench.client().connect(), false);
    const { stdout } = await promisify(execFile)('ssh-keygen', ['-lf', join(sshd.dir, 'host.pub')]);
    const fingerprint = stdout.split(' ')[1] ?? 'none';
    assert.equal(asked.length, 2, asked.join('\n'));
    assert.match(asked[0] ?? '', /^The authenticity of host .* can't be established/);
    assert.ok(asked[0]?.includes(fingerprint), `${fingerprint} is not in ${asked[0]}`);
    assert.match(asked[1] ?? '', /passphrase for key/i);
    assert.notEqual(await readFile(join(sshd.dir, 'known_hosts'), 'utf8'), '');
    assert.deepEqual(await bench.seen(PASS_PHRASE), []);
  });

  it('is not asked again in the background by a user who does not answer, only once they want something', async () => {
    answers.confirm = undefined;
    await assert.rejects(bench.client().connect(), /host key|authenticity/i);
    assert.equal(asked.length, 1);
    await assert.rejects(bench.client().connect());
    assert.equal(asked.length, 1, 'asked again, unasked');
    assert.equal(await readFile(join(sshd.dir, 'known_hosts'), 'utf8'), '', 'an unknown host is not trusted');
    questions.askAgain();
    answers.confirm = 'Yes';
    assert.equal(await bench.client().connect(), false);
  });
});
