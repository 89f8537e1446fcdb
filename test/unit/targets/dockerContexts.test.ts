import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAddress } from '../../../src/targets/docker/address';
import type { Surroundings } from '../../../src/targets/docker/contexts';
import { dockerContexts, engineAddresses } from '../../../src/targets/docker/contexts';

describe('Docker contexts', () => {
  let home: string;
  let at: Surroundings;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'tiny-cats-contexts-'));
    at = { env: { XDG_RUNTIME_DIR: join(home, 'run') }, home, platform: 'linux', uid: 1000 };
    await store('far', 'ssh://me@far:2222');
    await store('secure', 'tcp://10.0.0.7:2376');
    const tls = join(home, '.docker/contexts/tls', idOf('secure'), 'docker');
    await mkdir(tls, { recursive: true });
    await writeFile(join(tls, 'ca.pem'), '');
    await writeFile(join(home, '.docker/config.json'), JSON.stringify({ currentContext: 'far' }));
    // One that cannot be read keeps nobody from the others.
    await mkdir(join(home, '.docker/contexts/meta/broken'));
    await writeFile(join(home, '.docker/contexts/meta/broken/meta.json'), '{"Name"');
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  const idOf = (name: string): string => createHash('sha256').update(name).digest('hex');

  async function store(name: string, host: string): Promise<void> {
    const dir = join(home, '.docker/contexts/meta', idOf(name));
    await mkdir(dir, { recursive: true });
    const context = {
      Name: name,
      Metadata: { Description: `the ${name} one` },
      Endpoints: { docker: { Host: host } },
    };
    await writeFile(join(dir, 'meta.json'), JSON.stringify(context));
  }

  it('are read from the user’s folder, the current one marked', async () => {
    const contexts = await dockerContexts(at);
    assert.deepEqual(contexts.map(({ name }) => name).sort(), ['default', 'far', 'secure']);
    assert.deepEqual(
      contexts.filter(({ isCurrent }) => isCurrent),
      [{ name: 'far', host: 'ssh://me@far:2222', isCurrent: true, description: 'the far one' }],
    );
  });

  it('give way to DOCKER_HOST, and to the one that is named', async () => {
    const withHost = { ...at, env: { ...at.env, DOCKER_HOST: 'unix:///tmp/other.sock' } };
    assert.deepEqual(await engineAddresses({ engine: 'docker' }, withHost), [
      { via: 'socket', path: '/tmp/other.sock' },
    ]);
    const tls = join(home, '.docker/contexts/tls', idOf('secure'), 'docker');
    assert.deepEqual(await engineAddresses({ engine: 'auto', context: 'secure' }, withHost), [
      { via: 'tcp', host: '10.0.0.7', port: 2376, tls },
    ]);
    await assert.rejects(
      engineAddresses({ engine: 'docker', context: 'none' }, at),
      /no Docker context "none", only "default"/,
    );
  });

  it('are followed by Podman’s sockets, the user’s first', async () => {
    const podman = [
      { via: 'socket', path: join(home, 'run/podman/podman.sock') },
      { via: 'socket', path: '/run/podman/podman.sock' },
    ];
    assert.deepEqual(await engineAddresses({ engine: 'podman' }, at), podman);
    assert.deepEqual(await engineAddresses({ engine: 'auto' }, at), [
      { via: 'ssh', destination: 'me@far', port: 2222 },
      ...podman,
    ]);
  });

  it('name an address that can be understood, or it is said what can', () => {
    assert.deepEqual(parseAddress('/run/x.sock'), { via: 'socket', path: '/run/x.sock' });
    assert.deepEqual(parseAddress('tcp://box'), { via: 'tcp', host: 'box', port: 2375 });
    assert.throws(
      () => parseAddress('box'),
      /"box" is no address of a container engine: expected the path of a socket/,
    );
  });
});
