import { gemm, gemmScratchBytes } from './gemm';
import { bytes } from './simd';
import { softmax, softmaxGradient } from './softmax';

/** Scratch that both directions need, in bytes: a product's and one head's tokens x tokens. */
export function attentionScratchBytes(tokens: i32, headWidth: i32): i32 {
  const widest = max(tokens, headWidth);
  return gemmScratchBytes(widest, widest) + tokens * tokens * 4;
}

/**
 * Attention of every token to all of its example, for qkv[batch, tokens, 3, heads, headWidth]: writes
 * out[batch, tokens, heads, headWidth] and the shares[batch, heads, tokens, tokens] that the gradient needs.
 * Heads are read where they lie, by strides. `scratch` holds {@link attentionScratchBytes} bytes.
 */
export function attentionForward(
  qkv: usize,
  shares: usize,
  out: usize,
  batch: i32,
  tokens: i32,
  heads: i32,
  headWidth: i32,
  scale: f32,
  scratch: usize,
): void {
  const part = bytes(heads * headWidth);
  const row = 3 * part;
  for (let example = 0; example < batch; example++) {
    for (let head = 0; head < heads; head++) {
      const q = qkv + bytes(head * headWidth);
      const k = q + part;
      const v = k + part;
      gemm(q, row, 4, k, 4, row, shares, bytes(tokens), tokens, tokens, headWidth, scratch, false);
      softmax(shares, shares, tokens, tokens, scale);
      const target = out + bytes(head * headWidth);
      gemm(shares, bytes(tokens), 4, v, row, 4, target, part, tokens, headWidth, tokens, scratch, false);
      shares += bytes(tokens * tokens);
    }
    qkv += bytes(tokens) * (row >> 2);
    out += bytes(tokens) * (part >> 2);
  }
}

/** The gradient of {@link attentionForward}: dQkv, laid out as qkv, from dOut, laid out as out. */
export function attentionBackward(
  qkv: usize,
  shares: usize,
  dOut: usize,
  dQkv: usize,
  batch: i32,
  tokens: i32,
  heads: i32,
  headWidth: i32,
  scale: f32,
  scratch: usize,
): void {
  const part = bytes(heads * headWidth);
  const row = 3 * part;
  const square = bytes(tokens);
  const d = scratch;
  scratch += bytes(tokens * tokens);
  for (let example = 0; example < batch; example++) {
    for (let head = 0; head < heads; head++) {
      const offset = bytes(head * headWidth);
      const q = qkv + offset;
      const k = q + part;
      const v = k + part;
      const dQ = dQkv + offset;
      const dK = dQ + part;
      const dV = dK + part;
      const dy = dOut + offset;
      gemm(dy, part, 4, v, 4, row, d, square, tokens, tokens, headWidth, scratch, false);
      gemm(shares, 4, square, dy, part, 4, dV, row, tokens, headWidth, tokens, scratch, false);
      softmaxGradient(shares, d, d, tokens, tokens, scale);
      gemm(d, square, 4, k, row, 4, dQ, row, tokens, headWidth, tokens, scratch, false);
      gemm(d, 4, square, q, row, 4, dK, row, tokens, headWidth, tokens, scratch, false);
      shares += bytes(tokens * tokens);
    }
    qkv += bytes(tokens) * (row >> 2);
    dQkv += bytes(tokens) * (row >> 2);
    dOut += bytes(tokens) * (part >> 2);
  }
}
