import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import * as v from 'valibot';
import { errorText } from './dataError';
import type { Decode } from './decodeImage';
import { decodeLot, fileOutcomeSchema, type LotFile } from './fileDecoder';

/** What a decode worker is started with. */
const startSchema = v.object({
  wasmDir: v.string(),
  imageSize: v.number(),
  known: v.set(v.string()),
  /** Element 0 is the slot of the file that the worker is at; shared. */
  position: v.instance(Int32Array),
});

export type DecodeWorkerStart = Omit<v.InferOutput<typeof startSchema>, 'position'> & {
  position: Int32Array;
};

const lotSchema = v.object({
  files: v.array(v.object({ path: v.string(), bytes: v.number(), slot: v.number() })),
  out: v.instance(Uint8Array),
});

/** From a decode worker, for each lot: what became of its files, or that nothing can be decoded at all. */
export const decodeReplySchema = v.variant('type', [
  v.object({ type: v.literal('done'), outcomes: v.array(fileOutcomeSchema) }),
  v.object({ type: v.literal('failed'), message: v.string() }),
]);

export type DecodeReply = v.InferOutput<typeof decodeReplySchema>;

/** Decodes lots in this worker thread until it is terminated. */
export function serveDecoding(createDecoder: (wasmDir: string) => Decode): void {
  const port = parentPort;
  if (isMainThread || !port) throw new Error('Decoding is served in a worker thread only.');
  const { wasmDir, imageSize, known, position } = v.parse(startSchema, workerData);
  const decode = createDecoder(wasmDir);
  const onFile = ({ slot }: LotFile): void => {
    Atomics.store(position, 0, slot);
  };
  const serve = async (message: unknown): Promise<DecodeReply> => {
    try {
      const outcomes = await decodeLot(v.parse(lotSchema, message), { imageSize, known, decode, onFile });
      return { type: 'done', outcomes };
    } catch (error) {
      return { type: 'failed', message: errorText(error) };
    }
  };
  port.on('message', (message: unknown) => {
    void serve(message).then((reply) => port.postMessage(reply));
  });
}
