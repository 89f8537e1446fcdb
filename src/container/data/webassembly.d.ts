/**
 * The two functions of Node's WebAssembly global that the codecs need. Node's own types leave them out, and the
 * browser's library does not belong in the container. Functions only, so that it merges with any fuller declaration.
 */
declare namespace WebAssembly {
  function compile(bytes: Uint8Array): Promise<object>;
  function instantiate(module: object, imports: object): Promise<{ exports: object }>;
}
