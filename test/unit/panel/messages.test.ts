import assert from 'node:assert/strict';
import type { ContainerView, HostToPanel } from '../../../src/protocol/panel';
import { defaultParameters } from '../../../src/protocol/parameters';
import { CLASSIFIER, DIT } from '../../../src/protocol/recipes';
import { isHostMessage } from '../../../webview/panel/messages';
import { event, runAfter, start, step } from './runs';

const container: ContainerView = {
  state: 'cold',
  link: 'none',
  target: 'local',
  engine: '',
  device: '',
  deviceFacts: null,
  heldMemory: null,
  restartNeeded: null,
  enterPhases: [],
  stalledRun: null,
  idleRemainingMs: null,
  problem: null,
};

describe('messages to the panel', () => {
  it('are taken as the host sends them', () => {
    const messages: HostToPanel[] = [
      {
        type: 'snapshot',
        recipes: [CLASSIFIER, DIT].map((spec) => ({ spec, params: defaultParameters(spec) })),
        recipe: 'classifier',
        chosen: null,
        run: runAfter(start('warm'), step(1, 1, 0.5)),
        coldStart: { runId: 'c', phases: [], timeToFirstStepMs: null },
        container,
        mayTrain: true,
        sweep: null,
      },
      { type: 'events', events: [event(1, start('warm')), event(2, step(1, 1, 0.5))] },
      { type: 'container', container },
      { type: 'parameter', name: 'data_dir', value: '/data' },
      { type: 'sample', runId: 'r', file: 'samples/step-000500.png', dataUrl: 'data:image/png;base64,AA==' },
      { type: 'sample', runId: 'r', file: 'samples/step-000500.png', dataUrl: null },
      { type: 'problems', problems: [{ name: 'epochs', message: 'no' }] },
    ];
    for (const message of messages) {
      assert.equal(isHostMessage(structuredClone(message)), true, message.type);
    }
  });

  it('are refused if they are not for the panel or not whole', () => {
    const others: unknown[] = [
      null,
      'snapshot',
      {},
      { type: 'snapshot' },
      { type: 'vscode-scheduled' },
      { type: 'events', events: [{ type: 'log' }] },
      { type: 'container', container: null },
      { type: 'sample', runId: 'r', file: 'a.png', dataUrl: 'https://example.org/a.png' },
    ];
    for (const other of others) {
      assert.equal(isHostMessage(other), false);
    }
  });
});
