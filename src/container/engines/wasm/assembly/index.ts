// Kernels that train in place on the heap of tfjs-backend-wasm. Every pointer is a byte address on that heap and every
// stride is in bytes. No function may need static data: it would overwrite the data of the module that owns the heap.
export { gemm, gemmScratchBytes } from './gemm';
export { attentionBackward, attentionForward, attentionScratchBytes } from './attention';
export { im2col, col2im } from './im2col';
export {
  winogradExchange,
  winogradFilter,
  winogradFilterGradient,
  winogradImage,
  winogradImageGradient,
  winogradMultiply,
  winogradMultiplyGradient,
  winogradPointBytes,
  winogradResult,
  winogradResultGradient,
  winogradScratchBytes,
} from './winograd';
export { reduceMiddle, sumOfSquares } from './reductions';
export { batchNormMoments, batchNormApply, batchNormGradientSums, batchNormInputGradient } from './batchNorm';
export { clear, reluGradient, scale } from './elementwise';
export { adam } from './adam';
export { crossEntropyForward, crossEntropyBackward } from './crossEntropy';
export { depthwiseInputGradient, depthwiseFilterGradient } from './depthwise';
export { gatedSigmoid, gatedSigmoidGradient } from './gatedSigmoid';
export { layerNorm, layerNormGradient } from './layerNorm';
export { maxPoolGradient } from './maxPool';
export { softmax, softmaxGradient } from './softmax';
export { repeat, segmentSum } from './segmentSum';
export { broadcast } from './broadcast';
