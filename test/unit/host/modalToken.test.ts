import assert from 'node:assert/strict';
import { clearModalToken, setModalToken, storedCredentials } from '../../../src/host/targets/modalToken';
import { parseTargets } from '../../../src/targets/config';
import { readSettings } from '../../../src/host/settings';
import { CLASSIFIER } from '../../../src/protocol/recipes';

describe('the token of a target on Modal', () => {
  const stored = new Map<string, string>();
  const secrets = {
    get: (key: string) => Promise.resolve(stored.get(key)),
    store: (key: string, value: string) => Promise.resolve(void stored.set(key, value)),
    delete: (key: string) => Promise.resolve(void stored.delete(key)),
  };
  let told: string[];
  let boxes: { password: boolean; refusal: unknown }[];

  function deps(targets: unknown[], typed: string[]): Parameters<typeof setModalToken>[0] {
    const source = {
      get: (name: string) => (name === 'targets' ? parseTargets(targets) : undefined),
      folder: '/work',
      recipe: CLASSIFIER,
    };
    const answers = [...typed];
    return {
      secrets,
      environment: { requireSettings: () => readSettings(source) },
      vs: {
        window: {
          showInputBox: (options = {}) => {
            const { password = false } = options;
            boxes.push({ password, refusal: options.validateInput?.('not a token') });
            return Promise.resolve(answers.shift());
          },
          showQuickPick: () => Promise.resolve(undefined),
          showInformationMessage: (text: string) => {
            told.push(text);
            return Promise.resolve(undefined);
          },
        },
      },
    };
  }

  beforeEach(() => {
    stored.clear();
    told = [];
    boxes = [];
  });

  it('is kept in the secret storage, found by the target, told to nobody, and cleared', async () => {
    const cloud = deps([{ kind: 'modal', name: 'cloud' }], [' ak-one ', 'as-hidden']);
    const find = storedCredentials(secrets);
    assert.equal(await find('cloud'), undefined);
    await setModalToken(cloud);
    assert.deepEqual(await find('cloud'), { tokenId: 'ak-one', tokenSecret: 'as-hidden' });
    assert.equal(await find('other'), undefined);
    assert.deepEqual(
      boxes.map(({ password }) => password),
      [false, true],
    );
    assert.ok(boxes.every(({ refusal }) => typeof refusal === 'string'));
    assert.ok(!told.join('\n').includes('hidden'));
    await clearModalToken(cloud);
    assert.equal(await find('cloud'), undefined);
  });

  it('is not changed by half an answer, and needs a target', async () => {
    await setModalToken(deps([{ kind: 'modal', name: 'cloud' }], ['ak-one']));
    assert.equal(stored.size, 0);
    await assert.rejects(setModalToken(deps([], [])), /no target on Modal yet: "Tiny Cats: Select Target"/);
  });

  it('that cannot be read counts as none', async () => {
    stored.set('tinyCats.modal.cloud', '{"tokenId": 3}');
    assert.equal(await storedCredentials(secrets)('cloud'), undefined);
  });
});
