import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackboneName } from '../../../../src/protocol/backbones';
import type { Engine } from '../../../../src/container/engines/engine';
import { createLearner } from '../../../../src/container/parallel/createLearner';
import { buildNetwork } from '../../../../src/container/recipes/classifier/networks';
import { classifierTask } from '../../../../src/container/recipes/classifier/task';
import type { Batch, StepScore } from '../../../../src/container/recipes/task';
import type { TensorData } from '../../../../src/volume/safetensors';
import { loadBoth, seeded, useEngine, values } from '../../engines/support';

/** Parameters of torchvision's networks with 1000 classes. */
const PARAMETERS: [BackboneName, number][] = [
  ['resnet18', 11_689_512],
  ['resnet34', 21_797_672],
  ['resnet50', 25_557_032],
  ['mobilenet_v3_small', 2_542_856],
];

const BUFFERS = /\.(running_mean|running_var|num_batches_tracked)$/;

/** torchvision's state dict as a table: a name and a shape on each line. */
async function stateDictOf(backbone: BackboneName): Promise<string[]> {
  const text = await readFile(join(__dirname, `${backbone}.txt`), 'utf8');
  return text.trimEnd().split('\n').sort();
}

describe('networks', () => {
  let engines: { wasm: Engine; cpu: Engine };

  before(async () => {
    engines = await loadBoth();
  });

  for (const [backbone, parameters] of PARAMETERS) {
    it(`${backbone} has the names, shapes and size of torchvision's`, async () => {
      const engine = engines.cpu;
      useEngine(engine);
      const { store } = buildNetwork(engine, backbone, { classes: 1000, imageSize: 224 });
      try {
        const tensors = await store.export();
        const table = tensors.map(({ name, shape }) => `${name} ${shape.join('x')}`.trimEnd());
        assert.deepEqual(table.sort(), await stateDictOf(backbone));
        const trained = tensors.filter(({ name }) => !BUFFERS.test(name));
        assert.equal(
          trained.reduce((sum, { data }) => sum + data.length, 0),
          parameters,
        );
      } finally {
        store.dispose();
      }
    });
  }

  it('tiny_cnn has about 0.3 million parameters', () => {
    useEngine(engines.cpu);
    const { store } = buildNetwork(engines.cpu, 'tiny_cnn', { classes: 2, imageSize: 64 });
    const size = Object.values(store.trainable).reduce((sum, variable) => sum + variable.size, 0);
    store.dispose();
    assert.ok(size > 250_000 && size < 350_000, String(size));
  });

  const CLASSES = 3;
  const IMAGES = 4;

  function batchOf(side: number): { images: Batch[string]; labels: Batch[string] } {
    return {
      images: { data: values(seeded(1), IMAGES * side * side * 3), shape: [IMAGES, side, side, 3] },
      labels: { data: Int32Array.from({ length: IMAGES }, (_, index) => index % CLASSES), shape: [IMAGES] },
    };
  }

  async function trainOn(
    engine: Engine,
    backbone: BackboneName,
    { side, steps }: { side: number; steps: number },
  ): Promise<{ scores: StepScore[]; logits: Float32Array; tensors: TensorData[] }> {
    useEngine(engine);
    const learner = await createLearner(
      classifierTask,
      { backbone, classes: CLASSES, imageSize: side },
      { engine },
    );
    try {
      await learner.initialise(3);
      const scores: StepScore[] = [];
      for (let step = 0; step < steps; step += 1) {
        scores.push(
          await learner.step(batchOf(side), { learningRate: 1e-3, gradientClip: 1, weightDecay: 1e-4 }),
        );
      }
      const { logits } = await learner.predict({ images: batchOf(side).images });
      return {
        scores,
        logits: logits?.data ?? new Float32Array(),
        tensors: await learner.exportParameters(),
      };
    } finally {
      await learner.dispose();
    }
  }

  const compared: [BackboneName, side: number][] = [
    ['tiny_cnn', 12],
    ['mobilenet_v3_small', 32],
  ];
  for (const [backbone, side] of compared) {
    it(`${backbone} computes the same loss and gradient on both engines`, async () => {
      const [cpu] = (await trainOn(engines.cpu, backbone, { side, steps: 1 })).scores;
      const [wasm] = (await trainOn(engines.wasm, backbone, { side, steps: 1 })).scores;
      assert.ok(cpu && wasm);
      assert.ok(Math.abs(cpu.loss - wasm.loss) < 1e-4, `${cpu.loss} and ${wasm.loss}`);
      assert.ok(
        Math.abs(cpu.gradientNorm / wasm.gradientNorm - 1) < 1e-3,
        `${cpu.gradientNorm} and ${wasm.gradientNorm}`,
      );
    }).timeout(180_000);
  }

  for (const backbone of ['resnet18', 'resnet34', 'resnet50'] as const) {
    it(`${backbone} learns a handful of images`, async () => {
      const { scores } = await trainOn(engines.wasm, backbone, { side: 32, steps: 6 });
      assert.ok(
        (scores.at(-1)?.loss ?? NaN) < (scores[0]?.loss ?? NaN),
        scores.map(({ loss }) => loss).join(),
      );
    }).timeout(180_000);
  }

  it('takes over exported weights: another learner then predicts the same', async () => {
    const { tensors, logits } = await trainOn(engines.wasm, 'mobilenet_v3_small', { side: 32, steps: 2 });
    const learner = await createLearner(
      classifierTask,
      { backbone: 'mobilenet_v3_small', classes: CLASSES, imageSize: 32 },
      { engine: engines.wasm },
    );
    await learner.initialise(4);
    await learner.loadParameters(tensors);
    const again = await learner.predict({ images: batchOf(32).images });
    assert.deepEqual(again.logits?.data, logits);
    assert.deepEqual(await learner.exportParameters(), tensors);
    await assert.rejects(
      async () =>
        learner.loadParameters([{ name: 'classifier.3.bias', shape: [2], data: new Float32Array(2) }]),
      /"classifier\.3\.bias" has the shape \[2\]; the network's is \[3\]/,
    );
    await learner.dispose();
  });
});
