import type { Scalar, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import type { TrainingOps } from '../../trainingOps';
import { registerWasmKernel, type WasmContext } from '../context';
import type { KernelCall } from '../kernelCall';

const forwardName = 'TinyCatsCrossEntropy';
const backwardName = 'TinyCatsCrossEntropyGradient';

function forward({ heap, kernels }: WasmContext, call: KernelCall): TensorInfo[] {
  const logits = call.input('logits');
  const labels = call.input('labels');
  const [rows = 0, classes = 0] = logits.shape;
  if (
    logits.shape.length !== 2 ||
    labels.dtype !== 'int32' ||
    labels.shape.length !== 1 ||
    labels.shape[0] !== rows
  ) {
    throw new Error(
      `crossEntropy needs logits [B, K] and int32 labels [B], got [${logits.shape.join(', ')}] and ` +
        `${labels.dtype} [${labels.shape.join(', ')}]`,
    );
  }
  // Read here because a label out of range would make the kernel touch foreign memory.
  const wrong = heap.view(labels).find((label) => label < 0 || label >= classes);
  if (wrong !== undefined) throw new Error(`crossEntropy: label ${wrong} is not in 0..${classes - 1}`);
  const loss = heap.allocate([]);
  const probabilities = heap.allocate(logits.shape);
  kernels.crossEntropyForward(
    heap.address(logits),
    heap.address(labels),
    heap.address(probabilities),
    heap.address(loss),
    rows,
    classes,
  );
  return [loss, probabilities];
}

function backward({ heap, kernels }: WasmContext, call: KernelCall): TensorInfo {
  const probabilities = call.input('probabilities');
  const [rows = 0, classes = 0] = probabilities.shape;
  const out = heap.allocate(probabilities.shape);
  kernels.crossEntropyBackward(
    heap.address(probabilities),
    heap.address(call.input('labels')),
    heap.address(call.input('dLoss')),
    heap.address(out),
    rows,
    classes,
  );
  return out;
}

/** Registers the mean cross entropy over a softmax, and its gradient. */
export function installCrossEntropy(context: WasmContext): void {
  const { tf } = context;
  registerWasmKernel(tf, forwardName, (call) => forward(context, call));
  registerWasmKernel(tf, backwardName, (call) => backward(context, call));
  tf.registerGradient({
    kernelName: forwardName,
    inputsToSave: ['labels'],
    outputsToSave: [false, true],
    gradFunc: (dys: Tensor | Tensor[], [labels, probabilities]: Tensor[]) => {
      const [dLoss] = Array.isArray(dys) ? dys : [dys];
      if (!dLoss || !labels || !probabilities) throw new Error('Cross entropy saved too little');
      return { logits: () => tf.engine().runKernel<Tensor>(backwardName, { probabilities, labels, dLoss }) };
    },
  });
}

/** Mean cross entropy by one kernel. */
export function fusedCrossEntropy({ tf }: WasmContext): TrainingOps['crossEntropy'] {
  return (logits, labels) =>
    tf.tidy(() => tf.engine().runKernel<[Scalar, Tensor]>(forwardName, { logits, labels })[0]);
}
