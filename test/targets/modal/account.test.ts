import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { RECIPES_PROGRAM } from '../../../src/protocol/program';
import { CLASSIFIER } from '../../../src/protocol/recipes';
import { isSweepFinal } from '../../../src/protocol/sweep';
import { beginSweep } from '../../../src/sweep/beginSweep';
import { modalConfigSchema } from '../../../src/targets/modal/config';
import type { CredentialStore } from '../../../src/targets/modal/credentials';
import { StartPhases } from '../../../src/targets/startPhases';
import { findAccount } from '../../../src/targets/modal/credentials';
import { modalProfiles } from '../../../src/targets/modal/profiles';
import { SweepFiles } from '../../../src/volume/sweepFiles';
import { SETTINGS } from '../../container/support/settings';
import { until } from '../../container/support/waiting';
import { TOKEN } from './support/modalDouble';
import { ModalPlace } from './support/modalPlace';

describe('an account on Modal (by the double)', () => {
  let place: ModalPlace;

  beforeEach(async () => {
    place = await ModalPlace.make();
  });

  afterEach(async () => {
    await place.dispose();
  });

  async function configuration(text: string): Promise<string> {
    const path = join(place.root, 'modal.toml');
    await writeFile(path, text);
    return path;
  }

  const PROFILES = `
[work]
token_id = "ak-work"
token_secret = "as-work"
environment = "staging"

[home]
token_id = "ak-home"
token_secret = "as-home"
active = true

[empty]
`;

  it('lists the profiles of the configuration without their secrets', async () => {
    const env = { MODAL_CONFIG_PATH: await configuration(PROFILES) };
    assert.deepEqual(modalProfiles(env), [
      { name: 'work', isActive: false, hasCredentials: true },
      { name: 'home', isActive: true, hasCredentials: true },
      { name: 'empty', isActive: false, hasCredentials: false },
    ]);
    assert.deepEqual(modalProfiles({ MODAL_CONFIG_PATH: join(place.root, 'no.toml') }), []);
  });

  it('tells no secret of a configuration that cannot be read', async () => {
    const env = { MODAL_CONFIG_PATH: await configuration('[work]\ntoken_secret = "as-very-secret') };
    assert.throws(
      () => modalProfiles(env),
      (error: Error) =>
        error.message.includes('modal.toml is no TOML') && !error.message.includes('very-secret'),
    );
  });

  it('comes from the secret storage, else the environment, else the named or the active profile', async () => {
    const config = { MODAL_CONFIG_PATH: await configuration(PROFILES) };
    const tokens = { MODAL_TOKEN_ID: 'ak-env', MODAL_TOKEN_SECRET: 'as-env' };
    const target = { name: 'cloud', profile: undefined };
    const stored = { tokenId: 'ak-stored', tokenSecret: 'as-stored' };
    const id = async (...args: Parameters<typeof findAccount>): Promise<string | undefined> =>
      (await findAccount(...args))?.credentials.tokenId;
    assert.equal(await id(target, () => Promise.resolve(stored), { ...config, ...tokens }), 'ak-stored');
    assert.equal(await id(target, undefined, { ...config, ...tokens }), 'ak-env');
    assert.equal(await id(target, undefined, config), 'ak-home');
    assert.equal(await id(target, undefined, { ...config, MODAL_PROFILE: 'work' }), 'ak-work');
    assert.equal(await id({ ...target, profile: 'work' }, undefined, { ...config, ...tokens }), 'ak-work');
    assert.equal(await id({ ...target, profile: 'none' }, undefined, config), undefined);
    assert.equal(
      (await findAccount({ ...target, profile: 'work' }, undefined, config))?.environment,
      'staging',
    );
  });

  it('is checked without making anything', async () => {
    const findings = await place.target().check();
    assert.deepEqual(
      findings.map(({ severity }) => severity),
      ['ok', 'ok', 'ok'],
    );
    assert.match(findings[1]?.what ?? '', /the first start makes the app "tiny-cats"/);
    assert.equal(place.double.apps.size + place.double.sandboxes.length + place.double.volumes.size, 0);
  });

  it('is checked with what mends it: no credentials, a refused token, a server that is not there', async () => {
    delete process.env.MODAL_TOKEN_SECRET;
    const [none] = await place.target().check();
    assert.match(none?.what ?? '', /no credentials for Modal/);
    assert.match(none?.remedy ?? '', /modal token new/);

    process.env.MODAL_TOKEN_SECRET = 'as-wrong';
    const refused = (await place.target().check()).at(-1);
    assert.deepEqual(refused, {
      severity: 'error',
      what: 'Modal refuses the token',
      remedy: 'modal token new',
    });

    process.env.MODAL_TOKEN_SECRET = TOKEN.tokenSecret;
    await place.double.stop();
    const away = await place
      .target()
      .check(AbortSignal.timeout(4000))
      .catch((error: unknown) => error);
    assert.ok(away instanceof Error || JSON.stringify(away).includes('"error"'));
  });

  it('of the secret storage is a sweep’s, too, whose driver is a process of its own, and nobody else’s', async () => {
    delete process.env.MODAL_TOKEN_SECRET;
    place.double.buildFailure = 'manifest for no/such:image not found';
    const outputsDir = join(place.root, 'outputs');
    const target = v.parse(modalConfigSchema, { kind: 'modal', name: 'cloud', image: 'no/such:image' });
    const problemOf = async (modalCredentials?: CredentialStore): Promise<string> => {
      const { sweepId } = await beginSweep(
        {
          recipe: CLASSIFIER,
          program: RECIPES_PROGRAM,
          runsAs: CLASSIFIER.name,
          params: { data_dir: place.images },
          axes: [{ name: 'seed', values: [1, 2] }],
          jobs: 1,
          target,
          engine: 'auto',
          settings: SETTINGS,
        },
        {
          bundleDir: resolve('dist'),
          outputsDir,
          dataDir: join(place.root, 'data'),
          ...(modalCredentials === undefined ? {} : { modalCredentials }),
        },
      );
      const ended = await until(async () => {
        const record = await new SweepFiles(outputsDir).read(sweepId);
        return record !== undefined && isSweepFinal(record) ? record : undefined;
      });
      return ended.problem ?? '';
    };
    assert.match(await problemOf(), /no credentials for Modal/);
    assert.match(
      await problemOf((name) => Promise.resolve(name === 'cloud' ? TOKEN : undefined)),
      /no\/such:image/,
    );
    for (const file of await readdir(place.root, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) {
        const text = await readFile(join(file.parentPath, file.name), 'latin1');
        assert.ok(!text.includes(TOKEN.tokenSecret), `${file.name} holds the secret`);
      }
    }
  });

  it('refuses a start with the reason of a failed build, and nothing is left', async () => {
    place.double.buildFailure = 'manifest for no/such:image not found';
    await assert.rejects(
      place.target({ image: 'no/such:image' }).start(place.options(), new StartPhases(performance.now())),
      {
        name: 'ContainerStartError',
        message: /Image build .* failed[^]*manifest for no\/such:image not found/,
      },
    );
    assert.equal(place.double.sandboxes.length, 0);
  });
});
