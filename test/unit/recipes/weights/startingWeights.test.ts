import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ParameterValues } from '../../../../src/protocol/parameters';
import type { Engine } from '../../../../src/container/engines/engine';
import { Learners } from '../../../../src/container/parallel/learners';
import { createClassifier } from '../../../../src/container/recipes/classifier/classifier';
import { RunFailure } from '../../../../src/container/recipes/recipe';
import type { TensorData } from '../../../../src/volume/safetensors';
import { readTensors, writeSafetensors } from '../../../../src/volume/safetensors';
import { loadBoth, wasmDir } from '../../engines/support';
import { op, plain, writeTorchFile } from '../../volume/torch/torchFiles';
import type { FinishedRun } from '../classifierRuns';
import { SIDE, logOf, stripes, trainRun } from '../classifierRuns';

describe('weights to start from', () => {
  let home = '';
  let engine: Engine;
  let weights: TensorData[];

  before(async () => {
    engine = (await loadBoth()).wasm;
    home = await mkdtemp(join(tmpdir(), 'weights-'));
    await stripes(join(home, 'images'), 6);
    const { runDir } = await train({ pretrained: false, lr: 1e-3 });
    weights = [...(await readTensors(join(runDir, 'best.safetensors')))].map(([name, { shape, data }]) => ({
      name,
      shape,
      data,
    }));
  });
  after(() => rm(home, { recursive: true, force: true }));

  /** One epoch that changes next to nothing. */
  function train(given: ParameterValues, pretrainedUrl = 'http://127.0.0.1:9/'): Promise<FinishedRun> {
    const recipe = createClassifier({
      engine,
      learners: new Learners(engine),
      wasmDir,
      dataDir: join(home, 'data'),
      pretrainedUrl,
    });
    const params = { data_dir: join(home, 'images'), image_size: SIDE, epochs: 1, batch_size: 4, lr: 1e-12 };
    return trainRun(recipe, home, { ...params, ...given });
  }

  async function assertTaken(run: FinishedRun): Promise<void> {
    const taken = await readTensors(join(run.runDir, 'last.safetensors'));
    for (const name of ['conv1.weight', 'layer3.0.conv2.weight', 'fc.weight']) {
      const expected = weights.find((tensor) => tensor.name === name)?.data ?? new Float32Array();
      const data = taken.get(name)?.data ?? new Float32Array();
      assert.ok(
        data.length > 0 && data.every((value, index) => Math.abs(value - (expected[index] ?? NaN)) < 1e-6),
        name,
      );
    }
  }

  it('come from a .safetensors file', async () => {
    const path = join(home, 'weights.safetensors');
    await writeSafetensors(path, weights, {});
    await assertTaken(await train({ pretrained: path }));
  });

  it('come from a .pt file, named relative to the outputs volume', async () => {
    const entries = weights.map(
      ({ name, shape }, index) =>
        [`module.${name}`, plain('FloatStorage', String(index), [...shape])] as const,
    );
    const storages = Object.fromEntries(
      weights.map(({ data }, index) => [String(index), Buffer.from(data.slice().buffer)]),
    );
    await writeTorchFile(
      join(home, 'weights.pt'),
      op.whole(op.dict([['state_dict', op.dict(entries)]])),
      storages,
    );
    const run = await train({ pretrained: 'weights.pt' });
    await assertTaken(run);
    assert.match(logOf(run.events), /Took \d+ tensors from .*weights\.pt\./);
  });

  it('of another network are refused by the names of tensors', async () => {
    const path = join(home, 'other.safetensors');
    await writeSafetensors(path, weights.slice(1), {});
    await assert.rejects(
      train({ pretrained: path }),
      /other\.safetensors does not fit the backbone: it lacks conv1\.weight$/,
    );
    const strange = { name: 'strange', shape: [1], data: new Float32Array(1) };
    await writeSafetensors(path, [...weights, strange], {});
    await assert.rejects(train({ pretrained: path }), /the network has no strange$/);
    const [first, ...rest] = weights;
    assert.ok(first);
    await writeSafetensors(path, [{ ...first, shape: [first.data.length] }, ...rest], {});
    await assert.rejects(train({ pretrained: path }), /conv1\.weight \(\[648\], not \[24, 3, 3, 3\]\)/);
  });

  it('that cannot be read end the run with the reason', async () => {
    await assert.rejects(train({ pretrained: 'missing.pt' }), /pretrained: .*no such file/);
    await writeFile(join(home, 'text.pt'), 'text');
    await assert.rejects(train({ init_from: 'text.pt' }), /init_from: .*no file of torch\.save/);
    await assert.rejects(train({ init_from: 'weights.onnx' }), /init_from: expected a \.safetensors/);
  });

  it('are noted as missing for tiny_cnn, once', async () => {
    const log = logOf((await train({ pretrained: true })).events);
    assert.equal(log.match(/tiny_cnn has no pretrained weights/g)?.length, 1);
    assert.doesNotMatch(logOf((await train({ pretrained: false })).events), /pretrained/);
  });

  it('offline: the failure says which file to put where', async () => {
    const place = join(home, 'data', 'pretrained', 'mobilenet_v3_small-047dcff4.pth');
    await assert.rejects(train({ backbone: 'mobilenet_v3_small', pretrained: true }), (error) => {
      assert.ok(error instanceof RunFailure);
      assert.equal(error.code, 'weights');
      assert.ok(
        error.message.includes(`Put the file http://127.0.0.1:9/mobilenet_v3_small-047dcff4.pth at ${place}`),
      );
      assert.match(error.message, /--no-pretrained/);
      return true;
    });
    // A file that is not the one is not taken for it.
    await mkdir(join(home, 'data', 'pretrained'), { recursive: true });
    await writeFile(place, 'something else');
    await assert.rejects(
      train({ backbone: 'mobilenet_v3_small', pretrained: true }),
      /could not be downloaded/,
    );
    assert.equal(await readFile(place, 'utf8'), 'something else');
  });
});
