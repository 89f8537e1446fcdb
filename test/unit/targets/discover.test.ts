import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enginePlaces, modalProfiles, sshHosts } from '../../../src/targets/discover';

describe('what targets can be made of', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'tiny cats home '));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('are the hosts of the ssh configuration and what it includes, without patterns and each once', async () => {
    await mkdir(join(home, '.ssh', 'conf.d'), { recursive: true });
    await writeFile(
      join(home, '.ssh', 'config'),
      'Include conf.d/*.conf config\n# Host no\nHost gpu-box "two words" *.example.org\n  HostName 10.0.0.1\nhost=old !not\nMatch host x\n',
    );
    await writeFile(join(home, '.ssh', 'conf.d', 'a.conf'), 'Host first gpu-box\r\n');
    await writeFile(join(home, '.ssh', 'conf.d', 'b.txt'), 'Host never\n');
    assert.deepEqual(await sshHosts(home), ['first', 'gpu-box', 'two words', 'old']);
  });

  it('are none where there is nothing', async () => {
    assert.deepEqual(await sshHosts(home), []);
    assert.deepEqual(await modalProfiles(home), []);
  });

  it('are Docker’s contexts and the sockets that are there', async () => {
    const meta = join(home, '.docker', 'contexts', 'meta', 'abc');
    await mkdir(meta, { recursive: true });
    const context = { Name: 'far', Endpoints: { docker: { Host: 'ssh://far' } } };
    await writeFile(join(meta, 'meta.json'), JSON.stringify(context));
    await mkdir(join(home, 'run', 'podman'), { recursive: true });
    await writeFile(join(home, 'run', 'podman', 'podman.sock'), '');
    const places = await enginePlaces(home, { XDG_RUNTIME_DIR: join(home, 'run') });
    assert.ok(places.some(({ options }) => options.context === 'far'));
    assert.ok(places.some(({ options }) => options.socket === join(home, 'run', 'podman', 'podman.sock')));
  });

  it('are Modal’s profiles, by name alone', async () => {
    await writeFile(join(home, '.modal.toml'), '[me]\ntoken_id = "ak-secret"\nactive = true\n[work]\n');
    assert.deepEqual(await modalProfiles(home), ['me', 'work']);
  });
});
