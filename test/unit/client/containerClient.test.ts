import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLASSIFIER } from '../../../src/protocol/recipes';
import { FakeContainer } from '../host/support/fakeContainer';

const OPTIONS = {
  engine: 'auto',
  port: 0,
  settings: { scaledownWindowMs: 60_000, keepDates: 0 },
  hint: { recipe: CLASSIFIER.name, params: {} },
} as const;

describe('container client', () => {
  let dir = '';
  let fake: FakeContainer;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'client-'));
    fake = new FakeContainer(dir);
  });
  afterEach(async () => {
    await fake.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('hears what a container says right behind the handshake, also that it goes', async () => {
    const client = fake.client();
    fake.fatal = 'The enter hook failed.';
    await assert.rejects(client.start(OPTIONS), { message: 'The enter hook failed.' });
    while (client.link !== 'none') await once(client, 'change');
    assert.deepEqual([client.status, client.problem], [undefined, 'The enter hook failed.']);
    client.dispose();
  });
});
