import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import type { TrainingOps } from '../../trainingOps';
import { registerWasmKernel, type WasmContext } from '../context';
import { sizeOf } from '../heap';

const plainName = 'TinyCatsLayerNorm';
const affineName = 'TinyCatsAffineLayerNorm';
const backwardName = 'TinyCatsLayerNormGradient';

const widthOf = (shape: readonly number[]): number => shape[shape.length - 1] ?? 1;

function installForward({ tf, heap, kernels }: WasmContext, name: string): void {
  registerWasmKernel(tf, name, (call) => {
    const x = call.input('x');
    const gamma = call.optionalInput('gamma');
    const beta = call.optionalInput('beta');
    const width = widthOf(x.shape);
    const rows = sizeOf(x.shape) / width;
    const y = heap.allocate(x.shape);
    const statistics = heap.allocate([rows, 2]);
    kernels.layerNorm(
      heap.address(x),
      gamma ? heap.address(gamma) : 0,
      beta ? heap.address(beta) : 0,
      heap.address(y),
      heap.address(statistics),
      rows,
      width,
      call.number('epsilon'),
    );
    return [y, statistics];
  });
}

function installBackward({ tf, heap, kernels }: WasmContext): void {
  registerWasmKernel(tf, backwardName, (call) => {
    const x = call.input('x');
    const gamma = call.optionalInput('gamma');
    const width = widthOf(x.shape);
    const dx = heap.allocate(x.shape);
    const others = gamma ? [heap.allocate([width]), heap.allocate([width])] : [];
    const [dGamma = 0, dBeta = 0] = others.map((tensor) => heap.address(tensor));
    kernels.layerNormGradient(
      heap.address(call.input('dy')),
      heap.address(x),
      gamma ? heap.address(gamma) : 0,
      heap.address(call.input('statistics')),
      heap.address(dx),
      dGamma,
      dBeta,
      sizeOf(x.shape) / width,
      width,
    );
    return [dx, ...others];
  });
}

/** Registers layer normalization with and without gamma and beta, and their gradients. */
export function installLayerNorm(context: WasmContext): void {
  const { tf } = context;
  installForward(context, plainName);
  installForward(context, affineName);
  installBackward(context);
  const gradients = (dys: Tensor | Tensor[], inputs: NamedTensorMap): Tensor[] => {
    const [dy] = Array.isArray(dys) ? dys : [dys];
    if (!dy) throw new Error('Layer normalization has no gradient to pass on');
    return tf.engine().runKernel<Tensor[]>(backwardName, { ...inputs, dy });
  };
  const saved = (tensor: Tensor | undefined): Tensor => {
    if (!tensor) throw new Error('Layer normalization saved too little');
    return tensor;
  };
  tf.registerGradient({
    kernelName: plainName,
    inputsToSave: ['x'],
    outputsToSave: [false, true],
    gradFunc: (dys: Tensor | Tensor[], [x, statistics]: Tensor[]) => ({
      x: () => saved(gradients(dys, { x: saved(x), statistics: saved(statistics) })[0]),
    }),
  });
  tf.registerGradient({
    kernelName: affineName,
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [false, true],
    gradFunc: (dys: Tensor | Tensor[], [x, gamma, statistics]: Tensor[]) => {
      // Not inside the functions below: tfjs runs each in a tidy of its own, and one kernel makes all three.
      const inputs = { x: saved(x), gamma: saved(gamma), statistics: saved(statistics) };
      const [dx, dGamma, dBeta] = gradients(dys, inputs);
      return { x: () => saved(dx), gamma: () => saved(dGamma), beta: () => saved(dBeta) };
    },
  });
}

/** Layer normalization by one kernel. */
export function fusedLayerNorm({ tf }: WasmContext): TrainingOps['layerNorm'] {
  return (x, epsilon, affine) =>
    tf.tidy(() => {
      const inputs: NamedTensorMap = affine ? { x, gamma: affine.gamma, beta: affine.beta } : { x };
      const name = affine ? affineName : plainName;
      return tf.engine().runKernel<[Tensor, Tensor]>(name, inputs, { epsilon })[0];
    });
}
