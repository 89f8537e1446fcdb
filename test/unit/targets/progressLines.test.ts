import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { followProgress } from '../../../src/targets/docker/progressLines';

function answer(...lines: object[]): Readable {
  return Readable.from(lines.map((line) => `${JSON.stringify(line)}\n`));
}

describe('what an engine says of a build', () => {
  it('is told step by step, as Docker and as Podman number them', async () => {
    const logged: string[] = [];
    const said = [
      'Step 1/2 : FROM debian\n',
      ' ---> 1a2b\n',
      '[2/2] STEP 3/6: RUN apt-get update\n',
      'Get:1\n',
    ];
    await followProgress(answer(...said.map((stream) => ({ stream }))), 'Building', (text) =>
      logged.push(text),
    );
    assert.deepEqual(logged, [
      'Building: Step 1/2 : FROM debian',
      'Building: [2/2] STEP 3/6: RUN apt-get update',
    ]);
  });

  it('ends with what the failing step wrote, without its colours', async () => {
    const lines = Array.from({ length: 30 }, (_, line) => ({ stream: `line ${line}\n` }));
    const failing = answer(
      ...lines,
      { stream: '\u001b[31mERROR: No matching distribution found for torch==0\u001b[0m\n' },
      { error: 'building at STEP "RUN pip install": exit status 1' },
    );
    await assert.rejects(
      followProgress(failing, 'Building', () => undefined),
      (error: Error) => {
        const told = error.message.split('\n');
        assert.equal(told[0], 'building at STEP "RUN pip install": exit status 1');
        assert.equal(told.at(-1), 'ERROR: No matching distribution found for torch==0');
        assert.equal(told.length, 11);
        return true;
      },
    );
  });
});
