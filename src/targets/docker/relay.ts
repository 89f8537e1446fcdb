import { Duplex, PassThrough } from 'node:stream';
import type { Engine } from './engine';
import { openIn } from './exec';

/** Joins its own streams and a port of its container. */
const RELAY =
  'const s=require("net").connect(+process.argv[1],"127.0.0.1");' +
  's.on("error",()=>process.exit(1)).on("close",()=>process.exit(0));process.stdin.pipe(s).pipe(process.stdout)';

/** A connection to a port of a container whose engine is on another machine: through the engine's API, over no port of it. */
export function relayInto(engine: Engine, containerId: string, port: number): Duplex {
  const readable = new PassThrough();
  const writable = new PassThrough();
  const near = Duplex.from({ readable, writable });
  const open = async (): Promise<void> => {
    const { stream } = await openIn(engine, containerId, ['node', '-e', RELAY, String(port)], true);
    engine.slow.modem.demuxStream(stream, readable, new PassThrough().resume());
    writable.pipe(stream);
    stream.once('error', (error) => near.destroy(error));
    stream.once('end', () => readable.end()).once('close', () => readable.end());
    near.once('close', () => stream.destroy());
  };
  open().catch((error: unknown) => near.destroy(error instanceof Error ? error : new Error(String(error))));
  return near;
}
