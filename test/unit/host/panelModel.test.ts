import assert from 'node:assert/strict';
import { SweepModel } from '../../../src/host/sweeps/sweepModel';
import { EventEmitter } from 'node:events';
import { RunFeeds } from '../../../src/host/container/runFeed';
import { HistoryModel } from '../../../src/host/history/historyModel';
import { PanelModel } from '../../../src/host/panel/panelModel';
import type { HostToPanel } from '../../../src/protocol/panel';
import { CLASSIFIER } from '../../../src/protocol/recipes';
import { applyEvent } from '../../../src/protocol/runView';
import { OPTIONS, Testbed, until } from './support/testbed';

type Snapshot = Extract<HostToPanel, { type: 'snapshot' }>;

describe('panel model', () => {
  let bed: Testbed;
  let history: HistoryModel;
  let model: PanelModel;
  let messages: HostToPanel[];
  let posted: EventEmitter<{ message: [] }>;
  const snapshots = (): Snapshot[] => messages.filter((message) => message.type === 'snapshot');
  const eventCount = (): number =>
    messages.reduce((count, message) => count + (message.type === 'events' ? message.events.length : 0), 0);

  beforeEach(() => {
    bed = new Testbed();
    messages = [];
    posted = new EventEmitter();
    history = new HistoryModel(() => Promise.resolve([{ target: 'local', volume: bed.fake.volume }]));
    bed.container.on('run', (record) => void history.apply(record));
    model = new PanelModel({
      container: bed.container,
      feeds: new RunFeeds(() => bed.fake.volume, bed.container),
      history,
      recipes: { forms: [{ spec: CLASSIFIER, params: { epochs: 3 } }], next: CLASSIFIER },
      readSample: () => Promise.reject(new Error('no run here has samples')),
      sweeps: new SweepModel(() => undefined),
      mayTrain: () => true,
      post: (message) => {
        // As it is when it is sent: a webview gets a copy.
        messages.push(structuredClone(message));
        posted.emit('message');
      },
    });
  });
  afterEach(async () => {
    model.dispose();
    await bed.close();
  });
  const shown = async (condition: () => boolean): Promise<void> => until(posted, 'message', condition);

  it('sends nothing before the page asks', async () => {
    await bed.container.train('classifier', {}, OPTIONS);
    assert.deepEqual(messages, []);
  });

  it('shows an empty panel where nothing was ever run', async () => {
    model.pageReady();
    await shown(() => snapshots().length === 1);
    const [snapshot] = snapshots();
    assert.equal(snapshot?.run, null);
    assert.equal(snapshot.container.state, 'cold');
    assert.deepEqual(snapshot.recipes[0]?.params, { epochs: 3 });
  });

  it('sends a snapshot and then what follows, with no gap and no repeat', async () => {
    const runId = await bed.container.train('classifier', {}, OPTIONS);
    bed.fake.append({ type: 'log', level: 'info', text: 'before' });
    model.show(runId);
    model.pageReady();
    await shown(() => snapshots().length > 0);
    for (let index = 0; index < 20; index += 1) {
      bed.fake.append({ type: 'log', level: 'info', text: `line ${index}` });
    }
    await shown(() => eventCount() >= 20);
    const run = snapshots().at(-1)?.run;
    assert.ok(run);
    const afterSnapshot = messages.slice(messages.findLastIndex(({ type }) => type === 'snapshot') + 1);
    for (const message of afterSnapshot) {
      if (message.type === 'events') {
        message.events.forEach((event) => applyEvent(run, event));
      }
    }
    assert.deepEqual(
      run.log.map(({ text }) => text),
      ['before', ...Array.from({ length: 20 }, (_, index) => `line ${index}`)],
    );
    assert.ok(messages.filter(({ type }) => type === 'events').length < 20, 'events are gathered');
  });

  it('is silent while it is hidden, and has all in the snapshot after that', async () => {
    const runId = await bed.container.train('classifier', {}, OPTIONS);
    model.show(runId);
    model.pageReady();
    await shown(() => snapshots().length === 1);
    model.pageHidden();
    const before = messages.length;
    bed.fake.append({ type: 'log', level: 'info', text: 'while hidden' });
    await bed.fake.complete(0.9);
    await bed.container.idle();
    assert.equal(messages.length, before);
    model.pageReady();
    await shown(
      () =>
        snapshots()
          .at(-1)
          ?.run?.log.some(({ text }) => text === 'while hidden') === true,
    );
  });

  it('goes over to a new run if it shows the newest', async () => {
    const first = await bed.container.train('classifier', {}, OPTIONS);
    model.show(first);
    model.pageReady();
    await shown(() => snapshots().at(-1)?.run?.runId === first);
    await bed.fake.complete(0.9);
    await bed.container.idle();
    const second = await bed.container.train('classifier', {}, OPTIONS);
    await shown(() => snapshots().at(-1)?.run?.runId === second);
    assert.equal(snapshots().at(-1)?.chosen, null, 'a reload of the window goes on with the newest too');
  });

  it('stays with an older run that was chosen', async () => {
    const first = await bed.container.train('classifier', {}, OPTIONS);
    await bed.fake.complete(0.9);
    await bed.container.idle();
    const second = await bed.container.train('classifier', {}, OPTIONS);
    await bed.fake.complete(0.8);
    await bed.container.idle();
    await history.refresh();
    assert.deepEqual(history.runs.map(({ record }) => record.runId).sort(), [first, second].sort());
    const older = history.runs[1]?.record.runId ?? '';
    model.show(older);
    model.pageReady();
    await shown(() => snapshots().at(-1)?.run?.runId === older);
    assert.equal(snapshots().at(-1)?.chosen, older, 'a reload of the window comes back to it');
    await bed.container.train('classifier', {}, OPTIONS);
    await bed.until(() => bed.container.view.state === 'training');
    assert.equal(model.run?.runId, older);
  });

  it('shows the start of the last cold run beside this one', async () => {
    const first = await bed.container.train('classifier', {}, OPTIONS);
    bed.fake.append({
      type: 'phase',
      phase: { name: 'module import', scope: 'enter', startMs: 0, durationMs: 300 },
    });
    await bed.fake.setRecord({ start: 'cold', timeToFirstStepMs: 900 });
    await bed.fake.complete(0.9);
    await bed.container.idle();
    const second = await bed.container.train('classifier', {}, OPTIONS);
    model.show(second);
    model.pageReady();
    await shown(() => snapshots().length > 0);
    const coldStart = snapshots().at(-1)?.coldStart;
    assert.equal(coldStart?.runId, first);
    assert.equal(coldStart.timeToFirstStepMs, 900);
    assert.deepEqual(
      coldStart.phases.map(({ name }) => name),
      ['module import'],
    );
  });

  it('tells of the container as it changes', async () => {
    model.pageReady();
    await shown(() => snapshots().length === 1);
    await bed.container.warmUp(OPTIONS);
    await shown(() =>
      messages.some((message) => message.type === 'container' && message.container.state === 'warm'),
    );
  });
});
