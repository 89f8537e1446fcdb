import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { SchemaError, parse } from '../../protocol/schema';
import type { Manifest } from '../../protocol/transfer';
import { FILES_PATH, manifestSchema, sentNameSchema } from '../../protocol/transfer';
import { confine } from '../../volume/confine';
import { OutputsVolume } from '../../volume/outputsVolume';
import { SentFolders } from './sentFolders';

const MOST_MANIFEST_BYTES = 256 * 1024 * 1024;

/** Something that was asked for is not there. */
class NotThere extends Error {}

/** Files by HTTP: what is sent to the data volume, and what runs have made. Asked only by who holds the token. */
export class FileDesk {
  private readonly sent: SentFolders;
  private readonly volume: OutputsVolume;

  /** @param arrived called with the name of what is here as the client has it */
  constructor(
    { outputsDir, dataDir }: { outputsDir: string; dataDir: string },
    private readonly arrived: (name: string) => void,
  ) {
    this.sent = new SentFolders(dataDir);
    this.volume = new OutputsVolume(outputsDir);
  }

  /** Answers a request below FILES_PATH. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.answer(request, response);
    } catch (error) {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const status = error instanceof NotThere ? 404 : error instanceof SchemaError ? 400 : 500;
      const message = error instanceof Error ? error.message : String(error);
      // What is left of the request is not read.
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify({ message }));
    }
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [area, name = '', ...rest] = url.pathname
      .slice(FILES_PATH.length + 1)
      .split('/')
      .map((part) => decodeURIComponent(part));
    const asked = `${request.method ?? ''} ${area ?? ''}`;
    if (asked === 'GET runs') {
      await this.sendFile(name, rest.join('/'), url.searchParams.has('facts'), request, response);
      return;
    }
    const folder = parse(sentNameSchema, name, 'name of a folder');
    switch (`${asked} ${rest.join('/')}`.trim()) {
      case 'GET sent':
        await this.compare(folder, url.searchParams.get('digest'), response);
        break;
      case 'POST sent missing':
        answerWith(response, { missing: await this.sent.missing(await readManifest(request)) });
        break;
      case 'POST sent pack':
        await this.sent.receive(request);
        answerWith(response, {});
        break;
      case 'POST sent place':
        await this.sent.place(folder, await readManifest(request));
        this.arrived(folder);
        answerWith(response, {});
        break;
      default:
        throw new NotThere('there is nothing of that name');
    }
  }

  /** @param wanted digest of what the client has */
  private async compare(folder: string, wanted: string | null, response: ServerResponse): Promise<void> {
    const digest = await this.sent.digest(folder);
    if (digest !== null && digest === wanted) {
      this.arrived(folder);
    }
    answerWith(response, { digest });
  }

  private async sendFile(
    runId: string,
    file: string,
    factsOnly: boolean,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const dir = await this.volume.findRun(runId);
    if (dir === undefined) {
      throw new NotThere(`there is no run ${runId}`);
    }
    const path = await confine(dir, file);
    const facts = await stat(path).catch(() => undefined);
    if (facts?.isFile() !== true) {
      throw new NotThere(`run ${runId} has no file "${file}" any more`);
    }
    const { size, mtimeMs } = facts;
    if (factsOnly) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(path), hash);
      answerWith(response, { bytes: size, sha256: hash.digest('hex'), mtimeMs });
      return;
    }
    const start = v.parse(startSchema, request.headers.range);
    response.writeHead(start === 0 ? 200 : 206, { 'content-length': Math.max(0, size - start) });
    await pipeline(createReadStream(path, { start }), response);
  }
}

/** First byte that is asked for, of `bytes=N-`. */
const startSchema = v.pipe(
  v.optional(v.pipe(v.string(), v.regex(/^bytes=\d+-$/, 'expected bytes=N-')), 'bytes=0-'),
  v.transform((range) => Number(range.slice('bytes='.length, -1))),
);

function answerWith(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function readManifest(request: IncomingMessage): Promise<Manifest> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MOST_MANIFEST_BYTES) {
      throw new Error('the list of files is too long');
    }
    pieces.push(piece);
  }
  const value: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'));
  return parse(manifestSchema, value, 'list of files');
}
