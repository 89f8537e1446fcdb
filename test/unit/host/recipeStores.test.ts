import assert from 'node:assert/strict';
import { RecipeStores } from '../../../src/host/recipeStores';
import { CLASSIFIER, DIT } from '../../../src/protocol/recipes';

function memento() {
  const kept = new Map<string, unknown>();
  return {
    get: (key: string) => kept.get(key),
    update: (key: string, value: unknown) => {
      kept.set(key, structuredClone(value));
      return Promise.resolve();
    },
  };
}

describe('recipes and their values', () => {
  const settings = { lr: 0.5, data_dir: 'pictures' };

  it('begin with the first recipe; the setting is about that one, but for the data', () => {
    const stores = new RecipeStores([CLASSIFIER, DIT], memento(), () => settings);
    assert.equal(stores.next, CLASSIFIER);
    assert.equal(stores.of(CLASSIFIER).values.lr, 0.5);
    assert.notEqual(stores.of(DIT).values.lr, 0.5);
    assert.deepEqual(
      stores.forms.map(({ spec, params }) => [spec.name, params.data_dir]),
      [
        ['classifier', 'pictures'],
        ['dit', 'pictures'],
      ],
    );
  });

  it('remember what was trained, each with values of its own', async () => {
    const place = memento();
    const stores = new RecipeStores([CLASSIFIER, DIT], place, () => ({}));
    await stores.keep(DIT, { ...stores.of(DIT).values, steps: 7 });
    const again = new RecipeStores([CLASSIFIER, DIT], place, () => ({}));
    assert.equal(again.next, DIT);
    assert.equal(again.of(DIT).values.steps, 7);
    assert.equal(again.of(CLASSIFIER).values.steps, undefined);
  });

  it('share a data folder that was chosen', async () => {
    const stores = new RecipeStores([CLASSIFIER, DIT], memento(), () => ({}));
    assert.equal(stores.of(DIT).hasDataFolder, false);
    await stores.setDataFolder('/cats');
    assert.deepEqual(
      stores.forms.map(({ params }) => params.data_dir),
      ['/cats', '/cats'],
    );
  });

  it('refuse a recipe that there is not', () => {
    const stores = new RecipeStores([CLASSIFIER], memento(), () => ({}));
    assert.throws(() => stores.find('dit'), /no recipe "dit"/);
  });
});
