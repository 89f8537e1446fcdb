import assert from 'node:assert/strict';
import type { RunEventBody } from '../../../src/protocol/events';
import { progress } from '../../../src/protocol/runView';
import {
  accuracyRange,
  axisEnd,
  chartData,
  describeCurves,
  lossRange,
  scoresTable,
  nearestIndex,
  plannedEpochs,
} from '../../../webview/panel/chartData';
import { epoch, metrics, runAfter, start, step, stepOfRun } from './runs';

describe('curves of a run', () => {
  it('share one growing axis, and an epoch falls together with its last step', () => {
    const run = runAfter(start('warm'), step(1, 2, 0.9), step(1, 4, 0.7), epoch(1, 0.6), step(2, 2, 0.5));
    const data = chartData(run);
    assert.deepEqual(data.x, [0.5, 1, 1.5]);
    assert.deepEqual(data.stepLoss, [0.9, 0.7, 0.5]);
    assert.deepEqual(data.trainLoss, [null, 0.5, null]);
    assert.deepEqual(data.valAcc, [null, 0.6, null]);
  });

  it('have a point for an epoch whose last step sent no progress', () => {
    const data = chartData(runAfter(start('warm'), step(1, 2, 0.9), epoch(1, 0.6), step(2, 1, 0.8)));
    assert.deepEqual(data.x, [0.5, 1, 1.25]);
    assert.deepEqual(data.stepLoss, [0.9, null, 0.8]);
  });

  it('are empty columns before the first step', () => {
    const { others, ...columns } = chartData(runAfter(start('cold')));
    assert.deepEqual(Object.values(columns), [[], [], [], [], [], [], []]);
    assert.equal(others.size, 0);
  });

  it('fill a frame of the planned epochs from the start', () => {
    assert.equal(plannedEpochs(runAfter(start('cold'))), 3);
    assert.equal(plannedEpochs(runAfter()), 1);
  });

  it('are read at the nearest point that a curve has', () => {
    assert.equal(nearestIndex([null, 1, null, null, 2], 2), 1);
    assert.equal(nearestIndex([null, 1, null, null, 2], 3), 4);
    assert.equal(nearestIndex([1, null, 2], 1), 0);
    assert.equal(nearestIndex([null, null], 1), null);
    assert.equal(nearestIndex([], -1), null);
  });

  it('are summed up in a sentence with the best epoch', () => {
    const run = runAfter(start('warm'), epoch(1, 0.6), epoch(2, 0.91), epoch(3, 0.9));
    assert.equal(
      describeCurves(run),
      'After epoch 3 of 3: train loss 0.1667, validation loss 0.2000, validation accuracy 90.0%; best 91.0% at epoch 2.',
    );
  });

  it('are cells of a table too', () => {
    const { columns, rows } = scoresTable(runAfter(epoch(2, 0.91)));
    assert.deepEqual(columns, [
      'Epoch',
      'Train loss',
      'Val loss',
      'Train acc',
      'Val acc',
      'Learning rate',
      'Images/s',
      'Time',
    ]);
    assert.deepEqual(
      [rows[0]?.place, ...(rows[0]?.cells ?? [])],
      ['2', '0.2500', '0.3000', '90.0%', '91.0%', '3e-4', '1,240', '3.95 s'],
    );
  });
});

describe('curves of a run that counts steps', () => {
  const run = runAfter(
    { type: 'run', recipe: 'dit', params: { steps: 40 }, start: 'warm', containerId: 'c' },
    stepOfRun(1, 0.9),
    stepOfRun(10, 0.6),
    metrics(10, { train_loss: 0.7, lr: 1e-3, gradient_norm: 2 }),
    stepOfRun(15, 0.5),
    metrics(20, { train_loss: 0.4, lr: 5e-4 }),
  );

  it('lie over steps, with a curve for whatever is measured', () => {
    const data = chartData(run);
    assert.deepEqual(data.x, [1, 10, 15, 20]);
    assert.deepEqual(data.stepLoss, [0.9, 0.6, 0.5, null]);
    assert.deepEqual(data.trainLoss, [null, 0.7, null, 0.4]);
    assert.deepEqual(data.lr, [null, 1e-3, null, 5e-4]);
    assert.deepEqual([...data.others], [['gradient_norm', [null, 2, null, null]]]);
    assert.equal(axisEnd(run), 40);
  });

  it('are summed up in a sentence and a table', () => {
    assert.equal(describeCurves(run), 'After step 20 of 40: train loss 0.4000, learning rate 5e-4.');
    assert.deepEqual(scoresTable(run), {
      columns: ['Step', 'Train loss', 'Learning rate', 'Gradient norm'],
      rows: [
        { place: '10', x: 10, cells: ['0.7000', '0.001', '2.0000'] },
        { place: '20', x: 20, cells: ['0.4000', '5e-4', ''] },
      ],
    });
  });

  it('give the share that is done', () => {
    assert.equal(progress(run), 15 / 40);
  });
});

describe('curves of the user’s own code', () => {
  const code: RunEventBody = {
    type: 'run',
    recipe: 'train',
    entrypoint: 'src/train.py:train',
    params: {},
    start: 'warm',
    containerId: 'c',
  };
  const told = (epoch: number, values: Record<string, number>): RunEventBody => ({
    type: 'metrics',
    epoch,
    step: 0,
    steps: 0,
    values,
  });

  it('have a curve for any name, at the epochs that the code told', () => {
    const run = runAfter(
      code,
      { type: 'epoch', epoch: 1, epochs: 0, val_acc: 0.6 },
      told(1, { f1: 0.5 }),
      { type: 'epoch', epoch: 2, epochs: 0, val_acc: 0.7 },
      told(2, { f1: 0.6, 'grad/norm': 2 }),
    );
    const data = chartData(run);
    assert.deepEqual(data.x, [1, 2]);
    assert.deepEqual(data.valAcc, [0.6, 0.7]);
    assert.deepEqual(
      [...data.others],
      [
        ['f1', [0.5, 0.6]],
        ['grad/norm', [null, 2]],
      ],
    );
    assert.equal(axisEnd(run), 2);
    assert.deepEqual(scoresTable(run), {
      columns: ['Epoch', 'Val acc', 'F1', 'Grad/norm'],
      rows: [
        { place: '1', x: 1, cells: ['60.0%', '0.5000', ''] },
        { place: '2', x: 2, cells: ['70.0%', '0.6000', '2.0000'] },
      ],
    });
  });

  it('lie between the epochs where a metric names none', () => {
    const loss = (value: number): RunEventBody => ({
      type: 'metrics',
      step: 0,
      steps: 0,
      values: { loss: value },
    });
    const run = runAfter(
      code,
      loss(3),
      loss(2),
      { type: 'epoch', epoch: 1, epochs: 2, val_acc: 0.6 },
      loss(1),
    );
    assert.deepEqual(
      chartData(run).x.map((x) => Number(x.toFixed(3))),
      [0.5, 1, 2],
    );
  });

  it('understand accuracies in hundreds', () => {
    const run = runAfter(code, { type: 'epoch', epoch: 1, epochs: 2, val_acc: 84.25 });
    assert.deepEqual(scoresTable(run).rows[0]?.cells, ['84.3%']);
    assert.deepEqual(accuracyRange(60, 84), [55, 90]);
  });
});

describe('ranges of the axes', () => {
  it('keep an accuracy within 0 to 1 and never fold to nothing', () => {
    assert.deepEqual(accuracyRange(null, null), [0, 1]);
    assert.deepEqual(accuracyRange(0.98, 1), [0.95, 1]);
    assert.deepEqual(accuracyRange(0, 0.02), [0, 0.05]);
    const [low, high] = accuracyRange(0.5, 0.5);
    assert.ok(low < 0.5 && high > 0.5);
  });

  it('start a loss at 0 unless the curves would be pressed together', () => {
    assert.equal(lossRange(0.1, 1)[0], 0);
    const [low, high] = lossRange(0.9, 1);
    assert.ok(low > 0.8 && high > 1);
    const [same, above] = lossRange(0, 0);
    assert.ok(same < above);
  });
});
