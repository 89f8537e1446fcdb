import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { partOf } from '../../../src/container/parallel/batchBuffer';
import { SharedState } from '../../../src/container/parallel/layout';
import { coresOf, workerCount } from '../../../src/container/parallel/workerCount';

describe('shares of data-parallel workers', () => {
  it('divide a batch without gaps, the first workers taking one more', () => {
    const parts = (examples: number, workers: number) =>
      Array.from({ length: workers }, (_, index) => partOf(examples, index, workers));
    assert.deepEqual(parts(7, 3), [
      { from: 0, to: 3 },
      { from: 3, to: 5 },
      { from: 5, to: 7 },
    ]);
    assert.deepEqual(parts(1, 2), [
      { from: 0, to: 1 },
      { from: 1, to: 1 },
    ]);
  });

  it('divide the parameters without gaps, whatever their number', () => {
    for (const parameters of [1, 15, 16, 17, 1000, 12_345]) {
      for (const workers of [2, 3, 8]) {
        const state = SharedState.create({ workers, parameters, averaged: false });
        let end = 0;
        for (let worker = 0; worker < workers; worker += 1) {
          const { from, to } = state.shard(worker);
          assert.equal(from, end);
          assert.ok(to >= from);
          end = to;
        }
        assert.equal(end, parameters);
      }
    }
  });

  it('count cores, not their threads', () => {
    const processor = (id: number, socket: number, core: number) =>
      `processor\t: ${id}\nphysical id\t: ${socket}\ncore id\t\t: ${core}\n`;
    const machine = [processor(0, 0, 0), processor(1, 0, 1), processor(2, 0, 0), processor(3, 1, 0)].join(
      '\n',
    );
    assert.equal(coresOf(machine), 3);
    assert.equal(coresOf('Processor : ARM\n'), undefined);
  });

  it('are as many as asked, and by default no more than 8 or than the machine can run', () => {
    assert.equal(workerCount(3), 3);
    assert.ok(workerCount(0) >= 1 && workerCount(0) <= Math.min(8, availableParallelism()));
  });
});
