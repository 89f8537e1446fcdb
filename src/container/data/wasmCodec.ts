import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import type { DecodedImage } from './decodeImage';
import { corruptImage, type ImageFormat } from './imageHeader';

/** What the start function of an Emscripten module is given; all it would otherwise fetch or print goes through here. */
type ModuleOptions = {
  noInitialRun: true;
  instantiateWasm: (imports: object, done: (instance: object) => void) => object;
  print: (line: string) => void;
  printErr: (line: string) => void;
};

/** A running codec: throws whatever its wasm throws. */
type Instance = (bytes: Uint8Array) => unknown;

/**
 * Complaints after which libjpeg makes up the missing pixels. Its others, such as "extraneous bytes before marker",
 * are common in the wild and leave the image whole.
 */
const fatalComplaint = /premature end|bad huffman|instead of rst|no image/i;

/**
 * A decoder of one format in WebAssembly. It is compiled at the first image. An instance that failed on an image is
 * thrown away, so that a bad image costs its memory and state and never the next image.
 */
export class WasmCodec {
  readonly #format: ImageFormat;
  readonly #factory: (options: ModuleOptions) => unknown;
  readonly #wasmPath: string;
  readonly #options: readonly unknown[];
  #compiled: Promise<object> | undefined;
  #instance: Promise<Instance> | undefined;
  #complaints: string[] = [];

  /**
   * @param factory an Emscripten module's start function, which its package leaves without a usable type
   * @param options what its `decode` takes after the bytes
   */
  constructor(format: ImageFormat, factory: unknown, wasmPath: string, options: readonly unknown[] = []) {
    this.#format = format;
    this.#factory = v.parse(v.function(), factory);
    this.#wasmPath = wasmPath;
    this.#options = options;
  }

  /** @throws {DataError} `corrupt-image`; any other error means that the codec itself could not be loaded */
  async decode(bytes: Uint8Array): Promise<DecodedImage> {
    this.#instance ??= this.#start();
    const decode = await this.#instance.catch((error: unknown) => {
      this.#instance = undefined;
      this.#compiled = undefined;
      throw new Error(`The ${this.#format} decoder cannot be loaded from ${this.#wasmPath}.`, {
        cause: error,
      });
    });
    // From here to the result nothing waits: the complaints are this image's own.
    this.#complaints = [];
    let result: unknown;
    try {
      result = decode(bytes);
    } catch (error) {
      this.#instance = undefined;
      throw corruptImage(this.#complaints[0] ?? `the ${this.#format} decoder gave up`, error);
    }
    const complaint = this.#complaints.find((line) => fatalComplaint.test(line));
    if (complaint !== undefined) throw corruptImage(complaint);
    const image = asImage(result);
    if (!image) throw corruptImage(`not a valid ${this.#format} image`);
    return image;
  }

  async #start(): Promise<Instance> {
    this.#compiled ??= readFile(this.#wasmPath).then((bytes) => WebAssembly.compile(bytes));
    return startModule(this.#factory, await this.#compiled, this.#options, (line) =>
      this.#complaints.push(line),
    );
  }
}

/** Starts a compiled Emscripten module and returns its `decode`. */
async function startModule(
  factory: (options: ModuleOptions) => unknown,
  compiled: object,
  options: readonly unknown[],
  onComplaint: (line: string) => void,
): Promise<Instance> {
  const module = await new Promise<unknown>((resolve, reject) => {
    const started = factory({
      noInitialRun: true,
      // Emscripten takes the empty object for "the instance comes later".
      instantiateWasm: (imports, done) => {
        WebAssembly.instantiate(compiled, imports).then(done, reject);
        return {};
      },
      print: () => undefined,
      printErr: onComplaint,
    });
    Promise.resolve(started).then(resolve, reject);
  });
  const { decode } = v.parse(moduleSchema, module);
  return (bytes) => decode(bytes, ...options);
}

const moduleSchema = v.object({ decode: v.function() });

const imageSchema = v.object({
  width: v.pipe(v.number(), v.integer(), v.minValue(1)),
  height: v.pipe(v.number(), v.integer(), v.minValue(1)),
  data: v.instance(Uint8ClampedArray),
});

function asImage(value: unknown): DecodedImage | undefined {
  const parsed = v.safeParse(imageSchema, value);
  if (!parsed.success || parsed.output.data.length !== parsed.output.width * parsed.output.height * 4)
    return undefined;
  return parsed.output;
}
