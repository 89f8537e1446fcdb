import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SettingsError, readSettings, readUsableSettings, resolveFolder } from '../../../src/host/settings';
import { CLASSIFIER } from '../../../src/protocol/recipes';

function source(values: Record<string, unknown>) {
  return { get: (name: string) => values[name], folder: '/work space', recipe: CLASSIFIER };
}

function read(values: Record<string, unknown>) {
  return readSettings(source(values));
}

const BOX = { name: 'box', kind: 'ssh', host: 'gpu-box' };

describe('settings', () => {
  it('have usable defaults', () => {
    assert.deepEqual(read({}), {
      target: { kind: 'local', name: 'local' },
      targets: [],
      outputsDir: '/work space/outputs',
      dataDir: '/work space/.tiny-cats/data',
      engine: 'auto',
      entrypoint: '',
      pythonInterpreter: '',
      metricPatterns: [],
      port: 0,
      scaledownWindowMs: 300_000,
      retries: { maxRetries: 3, backoffCoefficient: 2, initialDelayMs: 10_000, maxDelayMs: 60_000 },
      runTimeoutMs: 3_600_000,
      stallTimeoutMs: 600_000,
      stopStalled: false,
      whenBusy: 'refuse',
      keepDates: 5,
      maxWarmMs: 3_600_000,
      defaultParameters: {},
    });
  });

  it('take folders relative to the workspace, absolute, or from home', () => {
    assert.equal(read({ outputsFolder: 'my "runs" é' }).outputsDir, '/work space/my "runs" é');
    assert.equal(read({ outputsFolder: '/elsewhere/runs' }).outputsDir, '/elsewhere/runs');
    assert.equal(resolveFolder('/w', '~/runs'), join(homedir(), 'runs'));
    assert.equal(resolveFolder('/w', '${workspaceFolder}/runs'), '/w/runs');
  });

  it('count as their defaults where there is only to look, if they cannot be used', () => {
    const usable = readUsableSettings(
      source({ outputsFolder: 'mine', port: -1, defaultParameters: { epochs: 0 } }),
    );
    assert.equal(usable.outputsDir, '/work space/mine');
    assert.equal(usable.port, 0);
    assert.deepEqual(usable.defaultParameters, {});
  });

  it('name a target by the list of them', () => {
    const { target, targets } = read({ target: 'box', targets: [BOX] });
    assert.deepEqual(target, { ...BOX, folder: '~/.tiny-cats', installNode: false });
    assert.deepEqual(targets, [target]);
    assert.equal(readUsableSettings(source({ target: 'gone', targets: [BOX] })).target.kind, 'local');
  });

  for (const [setting, value, expected] of [
    ['outputsFolder', '  ', 'path of a folder'],
    ['outputsFolder', 7, 'path of a folder'],
    ['scaledownWindow', 0, 'at least 0.1 minutes'],
    ['scaledownWindow', 'long', 'number of minutes'],
    ['engine', 'gpu', 'auto, torch, tfjs, tensorflow, webgpu, wasm, cpu'],
    ['port', 70_000, '65535'],
    ['port', 1.5, '65535'],
    ['keepCheckpointDates', -1, 'at least 0'],
    ['retries.maxRetries', -1, '0 to 1000'],
    ['retries.backoffCoefficient', 0.5, '1 to 10'],
    ['retries.initialDelay', 'soon', 'seconds'],
    ['runTimeout', -1, 'at least 0'],
    ['whenBusy', 'wait', '"queue"'],
    ['target', 'cloud', '"local"'],
    ['target', 1, 'name of a target'],
    ['targets', 'box', 'list of targets'],
    ['targets', [{ name: 'box', kind: 'train' }], 'ssh, docker or modal'],
    ['targets', [{ name: 'box', kind: 'ssh' }], '0.host'],
    ['targets', [{ name: 'box', kind: 'ssh', host: '-oProxyCommand=evil' }], 'name of a host'],
    ['targets', [{ name: '../box', kind: 'ssh', host: 'box' }], 'letters and digits'],
    ['targets', [{ name: 'Local', kind: 'ssh', host: 'box' }], 'this machine'],
    ['targets', [BOX, BOX], 'two targets'],
    ['defaultParameters', { epochs: 'ten' }, 'epochs'],
    ['defaultParameters', { epoch: 10 }, 'unknown parameter'],
    ['defaultParameters', { epochs: [1] }, 'texts, numbers'],
    ['defaultParameters', 'epochs', 'object of parameters'],
  ] as const) {
    it(`name ${setting} when it is ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => read({ [setting]: value }),
        (error) =>
          error instanceof SettingsError &&
          error.setting === setting &&
          error.message.includes(`tinyCats.${setting}`) &&
          error.message.includes(expected),
      );
    });
  }
});
