import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { TorchFileError } from './torchError';

interface ZipEntry {
  readonly name: string;
  /** In the archive. */
  readonly storedBytes: number;
  readonly bytes: number;
  readonly deflated: boolean;
  readonly headerOffset: number;
}

const END_BYTES = 22;
const LONGEST_COMMENT = 65_535;
const SIGNATURE = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50 } as const;
const LOCATOR64_BYTES = 20;
/** Stands in a field of 32 bits for a value in the zip64 extension. */
const IN_ZIP64 = 0xffffffff;
/** A directory of more bytes is no state dict's. */
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024;

const inflate = promisify(inflateRaw);

/** The entries of a zip file, read one by one. PyTorch stores them uncompressed; deflated ones can be read too. */
export class ZipArchive {
  private constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly entries: ReadonlyMap<string, ZipEntry>,
  ) {}

  /** @throws TorchFileError if it is no whole zip file */
  static async open(path: string, handle: FileHandle): Promise<ZipArchive> {
    const { size } = await handle.stat();
    const directory = await readDirectory(path, handle, size);
    return new ZipArchive(path, handle, parseDirectory(path, directory));
  }

  get names(): string[] {
    return [...this.entries.keys()];
  }

  /** Size of an entry when it is read, or undefined if there is none of that name. */
  bytesOf(name: string): number | undefined {
    return this.entries.get(name)?.bytes;
  }

  /** @throws TorchFileError if there is no such entry, or it is damaged */
  async read(name: string): Promise<Uint8Array> {
    const entry = this.entries.get(name);
    if (entry === undefined) {
      throw new TorchFileError(this.path, `the entry "${name}" is missing: the file is damaged`);
    }
    const local = await readExactly(this.path, this.handle, entry.headerOffset, 30);
    if (local.readUInt32LE(0) !== SIGNATURE.local) {
      throw new TorchFileError(
        this.path,
        `the entry "${name}" is not where the directory says: the file is damaged`,
      );
    }
    const start = entry.headerOffset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
    const stored = await readExactly(this.path, this.handle, start, entry.storedBytes);
    if (!entry.deflated) {
      return stored;
    }
    const content = await inflate(stored, { maxOutputLength: entry.bytes + 1 }).catch(() => undefined);
    if (content?.byteLength !== entry.bytes) {
      throw new TorchFileError(this.path, `the entry "${name}" does not unpack: the file is damaged`);
    }
    return content;
  }
}

async function readExactly(
  path: string,
  handle: FileHandle,
  position: number,
  bytes: number,
): Promise<Buffer> {
  const { size } = await handle.stat();
  if (position < 0 || position + bytes > size) {
    throw new TorchFileError(path, 'the file ends too early: it was cut off; copy or download it again');
  }
  const target = Buffer.alloc(bytes);
  for (let done = 0; done < bytes;) {
    const { bytesRead } = await handle.read(target, done, bytes - done, position + done);
    if (bytesRead === 0) {
      throw new TorchFileError(path, 'the file became shorter while it was read');
    }
    done += bytesRead;
  }
  return target;
}

/** The central directory's bytes. */
async function readDirectory(path: string, handle: FileHandle, size: number): Promise<Buffer> {
  const tailBytes = Math.min(size, END_BYTES + LONGEST_COMMENT);
  const tailStart = size - tailBytes;
  const tail = await readExactly(path, handle, tailStart, tailBytes);
  let end = tailBytes - END_BYTES;
  while (end >= 0 && tail.readUInt32LE(end) !== SIGNATURE.end) {
    end -= 1;
  }
  if (end < 0) {
    throw new TorchFileError(
      path,
      'the end of the zip archive is missing: it was cut off; copy or download it again',
    );
  }
  let bytes = tail.readUInt32LE(end + 12);
  let offset = tail.readUInt32LE(end + 16);
  if (bytes === IN_ZIP64 || offset === IN_ZIP64) {
    const locator = await readExactly(path, handle, tailStart + end - LOCATOR64_BYTES, LOCATOR64_BYTES);
    const end64 = await readExactly(path, handle, Number(locator.readBigUInt64LE(8)), 56);
    if (end64.readUInt32LE(0) !== SIGNATURE.end64) {
      throw new TorchFileError(path, 'the zip64 directory is missing: the file is damaged');
    }
    bytes = Number(end64.readBigUInt64LE(40));
    offset = Number(end64.readBigUInt64LE(48));
  }
  if (bytes > MAX_DIRECTORY_BYTES) {
    throw new TorchFileError(path, `the zip directory claims ${bytes} bytes: the file is damaged`);
  }
  return readExactly(path, handle, offset, bytes);
}

function parseDirectory(path: string, directory: Buffer): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  const damaged = (what: string) => new TorchFileError(path, `${what}: the file is damaged`);
  for (let at = 0; at < directory.length;) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== SIGNATURE.central) {
      throw damaged('the zip directory cannot be read');
    }
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const name = directory.toString('utf8', at + 46, nameEnd);
    const method = directory.readUInt16LE(at + 10);
    if (method !== 0 && method !== 8) {
      throw damaged(`the entry "${name}" is packed in an unknown way (${method})`);
    }
    if ((directory.readUInt16LE(at + 8) & 1) !== 0) {
      throw new TorchFileError(path, 'the archive is encrypted');
    }
    const [bytes, storedBytes, headerOffset] = widen(
      [directory.readUInt32LE(at + 24), directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 42)],
      directory.subarray(nameEnd, extraEnd),
    );
    entries.set(name, { name, bytes, storedBytes, headerOffset, deflated: method === 8 });
    at = extraEnd + directory.readUInt16LE(at + 32);
  }
  return entries;
}

type Sizes = [bytes: number, storedBytes: number, headerOffset: number];

/** Replaces the fields that do not fit 32 bits by those of the zip64 extension, which has them in this order. */
function widen(fields: Sizes, extra: Buffer): Sizes {
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) {
      let next = at + 4;
      const take = (field: number): number => {
        if (field !== IN_ZIP64 || next + 8 > Math.min(end, extra.length)) {
          return field;
        }
        next += 8;
        return Number(extra.readBigUInt64LE(next - 8));
      };
      return [take(fields[0]), take(fields[1]), take(fields[2])];
    }
    at = end;
  }
  return fields;
}
