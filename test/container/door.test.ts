import assert from 'node:assert/strict';
import { chmod, chown, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import type { ContainerClient } from '../../src/client/containerClient';
import { ContainerConnection } from '../../src/client/connection';
import { ErrorCode, MAX_MESSAGE_BYTES } from '../../src/protocol/rpc';
import { PROTOCOL_VERSION } from '../../src/protocol/version';
import { containerDir } from '../../src/targets/local/paths';
import type { Endpoint } from '../../src/targets/target';
import { Place } from './support/place';
import { RawClient } from './support/rawClient';
import { untilStatus } from './support/waiting';

describe('the door of a container', () => {
  let place: Place;
  let client: ContainerClient;
  let endpoint: Endpoint;
  const raws: RawClient[] = [];
  before(async () => {
    place = await Place.make();
    client = place.client();
    await client.start(place.options());
    await untilStatus(client, ({ state }) => state === 'warm');
    const found = await client.target.find();
    assert.ok(found);
    endpoint = found;
  });
  afterEach(async () => {
    raws.splice(0).forEach((raw) => raw.close());
    // Whatever a client does, the others go on.
    assert.equal((await client.request('status', {})).state, 'warm');
  });
  after(() => place.dispose());

  async function raw(): Promise<RawClient> {
    const made = await RawClient.connect(endpoint);
    raws.push(made);
    return made;
  }

  async function greeted(): Promise<RawClient> {
    const made = await raw();
    assert.equal((await made.hello()).error, undefined);
    return made;
  }

  it('is closed to those without the token, and to browsers even with it', async () => {
    const right = `Bearer ${endpoint.token}`;
    const refusals = await Promise.all(
      [
        {},
        { authorization: 'Bearer wrong' },
        { authorization: endpoint.token },
        { authorization: `${right}x` },
        { authorization: right, origin: 'https://example.org' },
        { authorization: right, origin: 'null' },
        { authorization: right },
      ].map((headers) => RawClient.refusal(endpoint.url, { headers })),
    );
    assert.deepEqual(refusals, [401, 401, 401, 401, 403, 403, undefined]);
    assert.equal(await RawClient.refusal(`${endpoint.url}?token=${endpoint.token}`, {}), 401);
    assert.ok(Buffer.from(endpoint.token, 'base64url').length >= 16);
    const plain = await fetch(endpoint.url.replace('ws:', 'http:'));
    assert.equal(plain.status, 426);
    await assert.rejects(
      ContainerConnection.open({ ...endpoint, token: 'wrong' }, 'test'),
      /The container refused the token/,
    );
  });

  it('takes no more clients than it can look after, and says so', async () => {
    const opened: RawClient[] = [];
    for (;;) {
      try {
        opened.push(await raw());
      } catch {
        break;
      }
    }
    assert.ok(opened.length >= 16, `${opened.length} clients`);
    await assert.rejects(ContainerConnection.open(endpoint, 'test'), /as many clients as it takes/);
    opened[0]?.close();
    await opened[0]?.end();
    const { connection } = await ContainerConnection.open(endpoint, 'test').catch(() =>
      ContainerConnection.open(endpoint, 'test'),
    );
    connection.close();
  });

  it('listens on the loopback address alone', async () => {
    const port = Number(new URL(endpoint.url).port);
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0)
      .map(({ address }) => address);
    for (const host of [...others, '127.0.0.2']) {
      const outcome = await new Promise<string>((resolve) => {
        const socket = connect({ port, host, timeout: 2000 });
        socket.once('connect', () => resolve('open'));
        socket.once('error', () => resolve('refused'));
        socket.once('timeout', () => resolve('refused'));
      });
      assert.equal(outcome, 'refused', host);
    }
  });

  it('closes a connection that sends too much, and that one only', async () => {
    const greedy = await greeted();
    greedy.socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x'.repeat(MAX_MESSAGE_BYTES) }));
    await greedy.end();
    const other = await greeted();
    const below = 'x'.repeat(MAX_MESSAGE_BYTES - 1000);
    assert.equal((await other.request(below, {})).error?.code, -32601);
  });

  it('wants hello first, in its own protocol version', async () => {
    const rude = await raw();
    const early = await rude.request('status', {});
    assert.deepEqual(early.error?.code, ErrorCode.helloFirst);
    assert.match(early.error.message, /"status" came before "hello"/);

    const old = await rude.hello(PROTOCOL_VERSION + 1);
    assert.equal(old.error?.code, ErrorCode.protocolMismatch);
    assert.match(
      old.error.message,
      new RegExp(
        `speaks protocol version ${PROTOCOL_VERSION} and the client version ${PROTOCOL_VERSION + 1}\\. Cool the container down`,
      ),
    );
    assert.equal((await rude.request('status', {})).error?.code, ErrorCode.helloFirst);
    assert.deepEqual(rude.notified('status'), []);

    assert.equal((await rude.hello('1')).error?.code, -32602);
    assert.equal((await rude.hello()).error, undefined);
    assert.equal((await rude.request('status', {})).error, undefined);
  });

  it('answers what makes no sense with an error, and goes on', async () => {
    const odd = await greeted();
    const code = async (message: string | Buffer): Promise<unknown> => {
      const answer = v.parse(
        v.object({ id: v.unknown(), error: v.object({ code: v.number() }) }),
        await odd.exchange(message),
      );
      return answer.error.code;
    };
    const request = (method: unknown, params: unknown): string =>
      JSON.stringify({ jsonrpc: '2.0', id: 'a', method, params });
    assert.equal(await code('{"jsonrpc": "2.0", '), -32700);
    assert.equal(await code(''), -32700);
    assert.equal(await code('null'), -32700);
    assert.equal(await code(Buffer.from(request('status', {}))), -32700, 'a binary frame');
    for (const nonsense of ['5', '"status"', '{}', '[]', '[null]', '[1]']) {
      assert.equal(await code(nonsense), -32600, nonsense);
    }
    for (const method of ['fly', 'constructor', '__proto__', 'toString', 'handlers', '']) {
      assert.equal(await code(request(method, {})), -32601, method);
    }
    for (const [method, params] of [
      ['attach', { runId: '../../etc', afterSeq: 0 }],
      ['attach', { runId: 'a', afterSeq: -1 }],
      ['attach', { runId: 'a', afterSeq: 1.5 }],
      ['stop', { runId: 7 }],
      ['stop', {}],
      ['train', { recipe: 'classifier' }],
      ['train', { recipe: 'classifier', params: { epochs: null } }],
      ['train', { recipe: 'classifier', params: { epochs: { $gt: 1 } } }],
      ['configure', { scaledownWindowMs: 1, keepDates: 5 }],
      ['configure', { scaledownWindowMs: 5000, keepDates: -1 }],
      ['pin', ['a', true]],
    ] as const) {
      assert.equal(await code(request(method, params)), -32602, `${method} ${JSON.stringify(params)}`);
    }
    for (const [method, params] of [
      ['attach', { runId: '20260101-000000-abcdef', afterSeq: 0 }],
      ['stop', { runId: 'a' }],
      ['pin', { runId: 'a', pinned: true }],
    ] as const) {
      assert.equal(await code(request(method, params)), ErrorCode.noSuchRun, method);
    }
  });

  it('answers a batch with a batch, and a notification with nothing', async () => {
    const raw = await greeted();
    raw.socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'status', params: {} }));
    const answers = await raw.exchange(
      JSON.stringify([
        { jsonrpc: '2.0', id: 'a', method: 'status' },
        { jsonrpc: '2.0', method: 'status' },
        { jsonrpc: '2.0', id: 'b', method: 'fly' },
      ]),
    );
    const ids = v.parse(v.array(v.object({ id: v.string() })), answers).map(({ id }) => id);
    assert.deepEqual(ids.sort(), ['a', 'b']);
  });

  it('takes no parameter by way of a prototype', async () => {
    const sly = await greeted();
    const answer = await sly.exchange(
      '{"jsonrpc":"2.0","id":1,"method":"train","params":{"recipe":"classifier","params":' +
        '{"__proto__":{"epochs":1},"constructor":{"prototype":{"epochs":1}},"epochs":0}}}',
    );
    assert.match(JSON.stringify(answer), /epochs: expected a whole number/);
    assert.equal((await sly.request('status', {})).error, undefined);
  });

  it('keeps its token to the user: in one file, and nowhere else', async function () {
    if (process.platform !== 'linux') {
      this.skip();
    }
    const dir = containerDir(place.outputsDir);
    const file = join(dir, 'container.json');
    assert.equal((await stat(dir)).mode & 0o777, 0o700);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.match(await readFile(file, 'utf8'), new RegExp(endpoint.token));

    const run = await place.train(client, {});
    await run.result();
    const status = await untilStatus(client, (next) => next.run === null);
    const { pid, trainerPid } = status;
    const runDir = await place.runDir(run.runId);
    const texts = [
      JSON.stringify(status),
      ...(await Promise.all(
        [
          `/proc/${pid}/environ`,
          `/proc/${pid}/cmdline`,
          `/proc/${String(trainerPid)}/environ`,
          `/proc/${String(trainerPid)}/cmdline`,
          join(dir, 'container.log'),
          ...['events.jsonl', 'run.json', 'training.log'].map((name) => join(runDir, name)),
        ].map((path) => readFile(path, 'utf8')),
      )),
    ];
    for (const text of texts) {
      assert.ok(!text.includes(endpoint.token));
    }
    assert.deepEqual((await readdir(dir)).sort(), ['container.json', 'container.log']);
  });

  it('is not trusted if others could have written what tells of it', async function () {
    if (process.platform === 'win32') {
      this.skip();
    }
    const file = join(containerDir(place.outputsDir), 'container.json');
    await chmod(file, 0o644);
    try {
      await assert.rejects(place.client().connect(), /could be read or written by another user: remove it/);
      await assert.rejects(place.client().start(place.options()), /could be read or written by another user/);
    } finally {
      await chmod(file, 0o600);
    }
    assert.equal(await place.client().connect(), true);
  });

  it('is not trusted if another user owns what tells of it', async function () {
    if (process.getuid?.() !== 0) {
      console.log('      skipped: only root can give a file to another user');
      this.skip();
    }
    const dir = containerDir(place.outputsDir);
    const file = join(dir, 'container.json');
    const { uid, gid } = await stat(file);
    for (const [path, problem] of [
      [file, /container\.json could be read or written by another user: remove it/],
      [dir, /is not a folder that this user alone can write/],
    ] as const) {
      await chown(path, uid + 12_345, gid);
      try {
        await assert.rejects(place.client().connect(), problem, path);
        await assert.rejects(place.client().start(place.options()), path);
      } finally {
        await chown(path, uid, gid);
      }
    }
    assert.equal(await place.client().connect(), true);
  });

  it('is not trusted if others can write its folder, or it is a link to another', async function () {
    if (process.platform === 'win32') {
      this.skip();
    }
    const dir = containerDir(place.outputsDir);
    const moved = `${dir}-moved`;
    await chmod(dir, 0o777);
    try {
      await assert.rejects(place.client().connect(), /is not a folder that this user alone can write/);
    } finally {
      await chmod(dir, 0o700);
    }
    await rename(dir, moved);
    await symlink(moved, dir);
    try {
      await assert.rejects(place.client().connect(), /is not a folder that this user alone can write/);
      await assert.rejects(place.client().start(place.options()), /is not a folder/);
    } finally {
      await rm(dir);
      await rename(moved, dir);
    }
    assert.equal(await place.client().connect(), true);
  });
});
