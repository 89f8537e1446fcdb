import assert from 'node:assert/strict';
import { JsonPrinter } from '../../../src/cli/jsonPrinter';
import { TextPrinter } from '../../../src/cli/textPrinter';
import type { RunEventBody } from '../../../src/protocol/events';
import { RUN_ID, begun, eventsOf, print, step } from './events';
import { recordingTerminal } from './recordingTerminal';

const completed: RunEventBody = {
  type: 'result',
  status: 'completed',
  output: '/volume/best\u001b[2J.safetensors',
  val_acc: 0.75,
  start: 'cold',
  time_to_first_step_ms: 1250,
};
const failed: RunEventBody = {
  type: 'result',
  status: 'failed',
  output: null,
  val_acc: null,
  start: 'warm',
  time_to_first_step_ms: null,
  error: { code: 'data', message: 'The folder is empty.' },
};
const dataset: RunEventBody = {
  type: 'dataset',
  dir: '/data',
  classes: [
    { name: 'cat\u001b[31m', images: 10 },
    { name: '猫', images: 1 },
  ],
  train: 8,
  val: 3,
  skipped: [{ path: 'cat/\u0007broken.png', reason: 'it was cut off' }],
};
const phase: RunEventBody = {
  type: 'phase',
  phase: { name: 'module import', scope: 'enter', startMs: 0, durationMs: 250 },
};

describe('TextPrinter', () => {
  it('tells of a cold start, its phases, data and result in plain lines', () => {
    const { terminal, stdout, stderr } = recordingTerminal();
    const printer = new TextPrinter(terminal);
    printer.starting();
    print(
      printer,
      eventsOf(
        begun('cold'),
        phase,
        { type: 'engine', engine: 'wasm', device: '2 cores' },
        dataset,
        step(1, 1),
        completed,
      ),
    );
    assert.deepEqual(stdout().split('\n'), [
      `Run ${RUN_ID}: classifier, cold start`,
      '  module import                    250 ms',
      'Engine: wasm (2 cores)',
      'Data: /data: 11 images in 2 classes (cat 10, 猫 1); 8 to train on, 3 to validate on',
      'Completed after 5.0 s: best val acc 0.7500',
      'Best checkpoint: /volume/best.safetensors',
      'Cold start, first step done after 1.3 s',
      '',
    ]);
    assert.match(stderr(), /^Skipped 1 file .*\n {2}cat\/broken\.png: it was cut off\n$/);
  });

  it('leaves the phases out where nothing had to be started', () => {
    const { terminal, stdout } = recordingTerminal();
    print(new TextPrinter(terminal), eventsOf(begun('warm'), phase));
    assert.equal(stdout(), `Run ${RUN_ID}: classifier, warm start\n`);
  });

  it('says an error once and where there is no checkpoint', () => {
    const { terminal, stdout, stderr } = recordingTerminal();
    const log: RunEventBody = { type: 'log', level: 'error', text: 'The folder is empty.' };
    print(new TextPrinter(terminal), eventsOf(begun('warm'), log, failed));
    assert.equal(stderr(), 'The folder is empty.\n');
    assert.match(stdout(), /Failed after 2\.0 s\nNo checkpoint was saved\.\nWarm start\n$/);
  });

  it('passes warnings on and keeps the rest of the log to itself', () => {
    const { terminal, stderr } = recordingTerminal();
    print(
      new TextPrinter(terminal),
      eventsOf(
        begun('warm'),
        { type: 'log', level: 'info', text: 'nothing to worry about' },
        { type: 'log', level: 'warning', text: 'no pretrained\u001b[5m weights' },
      ),
    );
    assert.equal(stderr(), 'no pretrained weights\n');
  });

  it('redraws the progress on a terminal and takes it away at the end', () => {
    const { terminal, stdout } = recordingTerminal({ isTTY: true });
    print(new TextPrinter(terminal, () => 0), eventsOf(begun('warm'), step(1, 1), step(1, 2), completed));
    assert.ok(stdout().includes('\r\u001b[K[=====               ] epoch 1/2 step 2/4 | loss 0.5000'));
    assert.ok(stdout().endsWith('start, first step done after 1.3 s\n'));
  });
});

describe('JsonPrinter', () => {
  const lines = (text: string): unknown[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));

  it('writes one event a line and last the result', () => {
    const { terminal, stdout, stderr } = recordingTerminal();
    const events = eventsOf(begun('cold'), dataset, completed);
    print(new JsonPrinter(terminal), events);
    assert.deepEqual(lines(stdout()), [
      ...events,
      {
        status: 'completed',
        output: '/volume/best\u001b[2J.safetensors',
        val_acc: 0.75,
        start: 'cold',
        time_to_first_step_ms: 1250,
        run_id: RUN_ID,
      },
    ]);
    assert.equal(stderr(), '');
  });

  it('ends with a result also if there was no run', () => {
    const { terminal, stdout, stderr } = recordingTerminal();
    new JsonPrinter(terminal).failed({ code: 'busy', message: 'It trains already.' }, undefined);
    assert.equal(
      stdout(),
      '{"status":"failed","output":null,"val_acc":null,"start":null,"time_to_first_step_ms":null,"error":{"code":"busy","message":"It trains already."}}\n',
    );
    assert.equal(stderr(), 'It trains already.\n');
  });

  it('keeps what is for a person off stdout', () => {
    const { terminal, stdout, stderr } = recordingTerminal();
    const printer = new JsonPrinter(terminal);
    printer.starting();
    printer.notice('Stopping.');
    assert.equal(stdout(), '');
    assert.equal(stderr(), 'Stopping.\n');
  });
});
