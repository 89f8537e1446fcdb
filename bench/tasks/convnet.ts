import type { Scalar, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { conv2d, linear } from '../../src/container/recipes/nn/layers';
import { ParameterStore } from '../../src/container/recipes/nn/parameterStore';
import type { Task } from '../../src/container/recipes/task';

const CHANNELS = [3, 16, 32, 64, 128];
const CLASSES = 2;

/**
 * Convnet A: four times convolution 3x3 with stride 2, bias and relu; mean over the image; a dense layer. A batch has
 * `images` [B, side, side, 3] and `labels` [B].
 */
export const convnetTask: Task = {
  name: 'bench convnet',
  build: (engine) => {
    const { tf, ops } = engine;
    const store = new ParameterStore(engine);
    const layers = CHANNELS.slice(1).map((to, index) => {
      const from = CHANNELS[index] ?? 0;
      const convolve = conv2d(engine, store, `conv${index}`, { from, to, kernel: 3, stride: 2, bias: true });
      return (x: Tensor4D) => tf.relu(convolve(x, true));
    });
    const width = CHANNELS.at(-1) ?? 0;
    const head = linear(engine, store, 'fc', { from: width, to: CLASSES });
    const forward = (images: Tensor4D): Tensor2D => {
      const features = layers.reduce((x, layer) => layer(x), images);
      return head(tf.mean<Tensor2D>(features, [1, 2]));
    };
    return {
      store,
      pending: [],
      loss: ({ images, labels }) => {
        const loss: Scalar = ops.crossEntropy(forward(images as Tensor4D), labels as Tensor1D);
        return { loss, sums: {} };
      },
      predict: ({ images }) => ({ logits: forward(images as Tensor4D) }),
    };
  },
};
