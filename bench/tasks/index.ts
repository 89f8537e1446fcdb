import type { Batch, Task, TaskSpec } from '../../src/container/recipes/task';
import { findTask as findProductTask } from '../../src/container/recipes/tasks';
import { convnetTask } from './convnet';

/** The product's tasks and those made for measuring. */
export function findTask(name: string): Task {
  return name === convnetTask.name ? convnetTask : findProductTask(name);
}

/** Something that this program and PyTorch both train, of the same shape. */
export interface Subject {
  /** As bench/torch/models.py calls it. */
  readonly name: string;
  readonly title: string;
  readonly task: string;
  readonly spec: TaskSpec;
  readonly batch: number;
  /** Steps of one round. */
  readonly steps: number;
  makeBatch(): Batch;
}

function noise(...shape: number[]): { data: Float32Array; shape: number[] } {
  const data = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
  return { data: data.map(() => Math.random() * 2 - 1), shape };
}

function images(batch: number, side: number, classes: number): Batch {
  const labels = Int32Array.from({ length: batch }, (_, index) => index % classes);
  return { images: noise(batch, side, side, 3), labels: { data: labels, shape: [batch] } };
}

const DIT = { imageSize: 32, patchSize: 4, width: 128, depth: 6, heads: 4, classes: 2 };

export const subjects: readonly Subject[] = [
  {
    name: 'convnet',
    title: 'Convnet A, 64 px, batch 32',
    task: convnetTask.name,
    spec: {},
    batch: 32,
    steps: 30,
    makeBatch: () => images(32, 64, 2),
  },
  {
    name: 'tiny_cnn',
    title: 'tiny_cnn, 64 px, batch 32',
    task: 'classifier',
    spec: { backbone: 'tiny_cnn', classes: 2, imageSize: 64 },
    batch: 32,
    steps: 10,
    makeBatch: () => images(32, 64, 2),
  },
  {
    name: 'resnet18',
    title: 'ResNet18, 64 px, batch 32',
    task: 'classifier',
    spec: { backbone: 'resnet18', classes: 2, imageSize: 64 },
    batch: 32,
    steps: 3,
    makeBatch: () => images(32, 64, 2),
  },
  {
    name: 'dit',
    title: 'DiT, 1.9 million parameters, batch 16',
    task: 'dit',
    spec: DIT,
    batch: 16,
    steps: 8,
    makeBatch: () => {
      const tokens = (DIT.imageSize / DIT.patchSize) ** 2;
      const pixels = DIT.patchSize ** 2 * 3;
      return {
        x: noise(16, tokens, pixels),
        target: noise(16, tokens, pixels),
        time: { data: new Float32Array(16).fill(0.5), shape: [16] },
        label: { data: new Int32Array(16), shape: [16] },
      };
    },
  },
];
