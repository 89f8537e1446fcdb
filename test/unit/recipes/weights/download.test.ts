import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DownloadError, download } from '../../../../src/container/recipes/weights/download';

const CONTENT = Buffer.alloc(300_000, 'weights');
const HASH = createHash('sha256').update(CONTENT).digest('hex').slice(0, 8);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const whole: Answer = (_request, response) => {
  response.setHeader('content-length', CONTENT.length);
  response.end(CONTENT);
};

describe('downloading weights', () => {
  let dir = '';
  let path = '';
  let url = '';
  let answer: Answer;
  let ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response);
  });

  before((done) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      url = `http://127.0.0.1:${port}/model.pth`;
      done();
    });
  });
  after((done) => {
    server.closeAllConnections();
    server.close(done);
  });
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'download-'));
    path = join(dir, 'model.pth');
    ranges = [];
    answer = whole;
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function get({ hash = HASH, stop = new AbortController().signal, stallMs = 10_000 } = {}): Promise<
    string[]
  > {
    const told: string[] = [];
    await download(url, path, { hash, stop, stallMs, onProgress: (text) => told.push(text) });
    return told;
  }

  it('writes the file whole and tells how far it has come', async () => {
    const told = await get();
    assert.deepEqual(await readFile(path), CONTENT);
    assert.equal(existsSync(`${path}.part`), false);
    assert.equal(told[0], '0.0 of 0.3 MB');
    assert.equal(told.at(-1), '0.3 of 0.3 MB');
  });

  it('goes on where a broken connection left off', async () => {
    answer = (_request, response) => {
      response.setHeader('content-length', CONTENT.length);
      response.write(CONTENT.subarray(0, 100_000), () => response.destroy());
    };
    await assert.rejects(get(), DownloadError);
    const got = (await readFile(`${path}.part`)).length;
    assert.ok(got > 0 && got <= 100_000, String(got));
    assert.equal(existsSync(path), false);
    answer = (_request, response) => {
      response.statusCode = 206;
      response.setHeader('content-length', CONTENT.length - got);
      response.end(CONTENT.subarray(got));
    };
    await get();
    assert.deepEqual(ranges, [undefined, `bytes=${got}-`]);
    assert.deepEqual(await readFile(path), CONTENT);
  });

  it('begins anew where the server cannot go on', async () => {
    await writeFile(`${path}.part`, 'something else');
    await get();
    assert.deepEqual(await readFile(path), CONTENT);
  });

  it('takes a part that was complete already', async () => {
    await writeFile(`${path}.part`, CONTENT);
    answer = (_request, response) => {
      response.statusCode = 416;
      response.end();
    };
    await get();
    assert.deepEqual(await readFile(path), CONTENT);
  });

  it('refuses another file than expected and keeps nothing of it', async () => {
    await assert.rejects(get({ hash: '00000000' }), /another file than expected/);
    assert.equal(existsSync(path), false);
    assert.equal(existsSync(`${path}.part`), false);
  });

  it('says what the server answered, and when it says nothing', async () => {
    answer = (_request, response) => {
      response.statusCode = 404;
      response.end();
    };
    await assert.rejects(get(), /model\.pth answered 404 Not Found/);
    answer = () => undefined;
    await assert.rejects(get({ stallMs: 50 }), /sent nothing for 0\.05 s/);
  });

  it('ends at once when it is told to stop', async () => {
    const stop = new AbortController();
    answer = (_request, response) => {
      response.write(CONTENT.subarray(0, 1000));
      stop.abort();
    };
    await assert.rejects(get({ stop: stop.signal }), (error) => error === stop.signal.reason);
  });
});
