/**
 * A pack is a row of pieces, each with a head before its bytes: the SHA-256 of the whole content, the content's size,
 * where the piece begins in it, and the piece's length, each number in 8 bytes, big endian.
 */
export const PIECE_HEAD_BYTES = 32 + 8 + 8 + 8;

export interface PieceHead {
  sha256: string;
  bytes: number;
  offset: number;
  length: number;
}

export function writeHead({ sha256: name, bytes, offset, length }: PieceHead): Buffer {
  const head = Buffer.alloc(PIECE_HEAD_BYTES);
  head.write(name, 'hex');
  head.writeBigUInt64BE(BigInt(bytes), 32);
  head.writeBigUInt64BE(BigInt(offset), 40);
  head.writeBigUInt64BE(BigInt(length), 48);
  return head;
}

export function readHead(head: Buffer): PieceHead {
  return {
    sha256: head.toString('hex', 0, 32),
    bytes: Number(head.readBigUInt64BE(32)),
    offset: Number(head.readBigUInt64BE(40)),
    length: Number(head.readBigUInt64BE(48)),
  };
}
