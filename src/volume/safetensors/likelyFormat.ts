const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** First bytes of files that are often taken for, or stored under the name of, a safetensors file. */
const signatures: [Uint8Array, string][] = [
  [ascii('version https://git-lfs'), 'a Git LFS pointer: run "git lfs pull" to get the file itself'],
  [ascii('PK\u0003\u0004'), 'a zip archive, as PyTorch writes .pt files'],
  [Uint8Array.of(0x80, 0x02), 'a Python pickle, as old PyTorch writes .pt files'],
  [Uint8Array.of(0x89, 0x48, 0x44, 0x46), 'an HDF5 file, as Keras writes'],
  [ascii('GGUF'), 'a GGUF file'],
  [Uint8Array.of(0x1f, 0x8b), 'a gzip archive: unpack it first'],
  [ascii('<'), 'a web page: the download gave an error page instead of the file'],
  [ascii('{'), 'a JSON file, perhaps the index of a model in several files'],
];

/** What a file that begins with `start` probably is, or undefined. */
export function likelyFormat(start: Uint8Array): string | undefined {
  return signatures.find(([bytes]) => bytes.every((byte, at) => start[at] === byte))?.[1];
}
