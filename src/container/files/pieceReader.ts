import type { PieceHead } from '../../transfer/pieces';
import { PIECE_HEAD_BYTES, readHead } from '../../transfer/pieces';

/** Reads a pack, piece by piece. */
export class PieceReader {
  private rest: Buffer = Buffer.alloc(0);
  private readonly source: AsyncIterator<Buffer, undefined>;

  constructor(stream: AsyncIterable<Buffer, undefined>) {
    this.source = stream[Symbol.asyncIterator]();
  }

  /** The next piece's head; undefined at the end. @throws Error if the pack is cut off */
  async head(): Promise<PieceHead | undefined> {
    while (this.rest.length < PIECE_HEAD_BYTES) {
      const { value } = await this.source.next();
      if (value === undefined) {
        if (this.rest.length > 0) {
          throw new Error('the link ended in the middle');
        }
        return undefined;
      }
      this.rest = this.rest.length === 0 ? value : Buffer.concat([this.rest, value]);
    }
    const head = readHead(this.rest);
    this.rest = this.rest.subarray(PIECE_HEAD_BYTES);
    if (head.offset + head.length > head.bytes) {
      throw new Error('a piece is larger than what it is a piece of');
    }
    return head;
  }

  /** The bytes of a piece, to be read to their end before the next head. */
  async *body(length: number): AsyncGenerator<Buffer> {
    let left = length;
    while (left > 0) {
      if (this.rest.length === 0) {
        const { value } = await this.source.next();
        if (value === undefined) {
          throw new Error('the link ended in the middle');
        }
        this.rest = value;
      }
      const some = this.rest.subarray(0, left);
      this.rest = this.rest.subarray(some.length);
      left -= some.length;
      yield some;
    }
  }
}
