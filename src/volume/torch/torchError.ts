/** A file that is no PyTorch file that can be read. `message` names the file, what is wrong and what to do. */
export class TorchFileError extends Error {
  override readonly name = 'TorchFileError';
  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path}: ${problem}`);
  }
}
