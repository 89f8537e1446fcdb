import assert from 'node:assert/strict';
import type { Memento } from '../../../src/host/parameterStore';
import { ParameterStore, resolveParameters, shortenFolder } from '../../../src/host/parameterStore';
import type { ParameterValues } from '../../../src/protocol/parameters';
import { CLASSIFIER } from '../../../src/protocol/recipes';

class MemoryMemento implements Memento {
  private readonly values = new Map<string, unknown>();
  get(key: string): unknown {
    return this.values.get(key);
  }
  update(key: string, value: unknown): Promise<void> {
    this.values.set(key, value);
    return Promise.resolve();
  }
}

describe('parameters of the next training', () => {
  let setting: ParameterValues;
  let memento: MemoryMemento;
  let store: ParameterStore;
  beforeEach(() => {
    setting = {};
    memento = new MemoryMemento();
    store = new ParameterStore(CLASSIFIER, memento, 'tinyCats.parameters', () => setting);
  });

  it("are the recipe's, over them the setting's, over them what was changed here", async () => {
    assert.equal(store.values.epochs, 10);
    setting = { epochs: 20, lr: 0.01 };
    assert.equal(store.values.epochs, 20);
    await store.keep({ ...store.values, epochs: 3 });
    assert.equal(store.values.epochs, 3);
    assert.equal(store.values.lr, 0.01);
  });

  it('follow a changed setting where nothing was changed here', async () => {
    await store.keep({ ...store.values, epochs: 3 });
    setting = { batch_size: 8 };
    assert.equal(store.values.batch_size, 8);
  });

  it('know whether anybody named a data folder, the sample included', async () => {
    assert.equal(store.hasDataFolder, false);
    await store.keep(store.values);
    assert.equal(store.hasDataFolder, false);
    await store.setDataFolder('sample');
    assert.equal(store.hasDataFolder, true);
    await store.keep(store.values);
    assert.equal(store.hasDataFolder, true);
    assert.equal(store.values.data_dir, 'sample');
  });

  it('pass over what another version kept', async () => {
    await memento.update('tinyCats.parameters', { epochs: 4, gone: true });
    assert.equal(store.values.epochs, 4);
    assert.equal(Object.hasOwn(store.values, 'gone'), false);
    await memento.update('tinyCats.parameters', 'nonsense');
    assert.equal(store.values.epochs, 10);
  });

  it('name folders absolutely to the container, and the sample as it is', () => {
    const resolve = (folder: string) => resolveParameters(CLASSIFIER, { data_dir: folder }, '/w s').data_dir;
    assert.equal(resolve('my cats'), '/w s/my cats');
    assert.equal(resolve('/else/cats'), '/else/cats');
    assert.equal(resolve('sample'), 'sample');
  });

  it('keep folders of the workspace relative, so that it can be moved', () => {
    assert.equal(shortenFolder('/w', '/w/data/cats'), 'data/cats');
    assert.equal(shortenFolder('/w', '/other'), '/other');
    assert.equal(shortenFolder('/w', '/w'), '/w');
    assert.equal(shortenFolder('/w', '/w/sample'), '/w/sample');
    assert.equal(shortenFolder('/w', '/w/..cats'), '..cats');
  });
});
