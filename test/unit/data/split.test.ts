import assert from 'node:assert/strict';
import { Random } from '../../../src/container/data/random';
import { epochOrder, splitByClass } from '../../../src/container/data/split';

describe('splitByClass', () => {
  const labels = Int32Array.from({ length: 103 }, (_, i) => (i < 80 ? 0 : i < 100 ? 1 : i < 102 ? 2 : 3));
  const countOf = (indices: Int32Array, label: number): number =>
    indices.filter((i) => labels[i] === label).length;

  it('puts every image on one side, by class', () => {
    const { train, validation } = splitByClass(labels, 0.2, 42);
    assert.deepEqual(
      [...train, ...validation].sort((a, b) => a - b),
      [...labels.keys()],
    );
    assert.deepEqual(
      [0, 1, 2, 3].map((label) => countOf(validation, label)),
      [16, 4, 1, 0],
    );
  });

  it('leaves at least one on each side of a class of two or more', () => {
    for (const fraction of [0.001, 0.999]) {
      const { train, validation } = splitByClass(labels, fraction, 1);
      for (const label of [0, 1, 2]) {
        assert.ok(countOf(train, label) >= 1 && countOf(validation, label) >= 1);
      }
      assert.equal(countOf(train, 3), 1);
    }
  });

  it('is the same for the same seed and another for another', () => {
    assert.deepEqual(splitByClass(labels, 0.2, 42), splitByClass(labels, 0.2, 42));
    assert.notDeepEqual(splitByClass(labels, 0.2, 42), splitByClass(labels, 0.2, 43));
  });

  it('validates nothing at 0 and refuses what is no fraction', () => {
    assert.equal(splitByClass(labels, 0, 42).validation.length, 0);
    for (const fraction of [1, -0.1, NaN]) assert.throws(() => splitByClass(labels, fraction, 1), RangeError);
  });

  it('takes a data set without images', () => {
    assert.equal(splitByClass(new Int32Array(0), 0.2, 1).train.length, 0);
  });
});

describe('epochOrder', () => {
  const train = Int32Array.from({ length: 50 }, (_, i) => i * 3);

  it('is a permutation that depends on seed and epoch only', () => {
    const order = epochOrder(train, 42, 3);
    assert.deepEqual(order, epochOrder(train, 42, 3));
    assert.notDeepEqual(order, epochOrder(train, 42, 4));
    assert.notDeepEqual(order, epochOrder(train, 43, 3));
    assert.deepEqual(order.slice().sort(), train);
  });
});

describe('Random', () => {
  it('gives the same numbers on every machine', () => {
    const random = Random.seeded('tiny', 42);
    assert.deepEqual([random.uint32(), random.uint32(), random.uint32()], [430478226, 3012393863, 753447785]);
  });

  it('tells seeds apart that look alike', () => {
    const seeds: (string | number)[][] = [
      [1],
      ['1'],
      [-1],
      [0],
      [0.5],
      [2 ** 40],
      ['', 1],
      [1, ''],
      ['ab'],
      ['a', 'b'],
      ['b', 'a'],
      [],
    ];
    const firsts = seeds.map((seed) => Random.seeded(...seed).uint32());
    assert.equal(new Set(firsts).size, seeds.length);
  });

  it('spreads evenly over its range, for consecutive seeds as well', () => {
    const bins = new Array<number>(16).fill(0);
    for (let seed = 0; seed < 16000; seed++) {
      const bin = Random.seeded('check', seed).int(16);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const chiSquared = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 15 degrees of freedom: above 37.7 once in a thousand.
    assert.ok(chiSquared < 37.7, `chi squared ${chiSquared}`);
  });

  it('fills arrays of even and odd length with a normal distribution', () => {
    for (const length of [20_000, 20_001]) {
      const draws = new Float32Array(length);
      Random.seeded('fill', length).fillNormal(draws, 0.5);
      const mean = draws.reduce((sum, x) => sum + x, 0) / length;
      const std = Math.sqrt(draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / length);
      assert.ok(Math.abs(mean) < 0.02, `mean ${mean}`);
      assert.ok(Math.abs(std - 0.5) < 0.02, `std ${std}`);
      assert.ok(draws.every((x) => x !== 0));
    }
  });

  it('draws a standard normal distribution', () => {
    const random = Random.seeded(7);
    const draws = Array.from({ length: 20000 }, () => random.normal());
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.04, `mean ${mean}, variance ${variance}`);
  });

  it('forks streams that do not depend on what was drawn', () => {
    const random = Random.seeded(1);
    const before = random.fork('flip', 2).uint32();
    random.uint32();
    assert.equal(random.fork('flip', 2).uint32(), before);
    assert.notEqual(random.fork('flip', 3).uint32(), before);
  });

  it('goes on from a saved state', () => {
    const random = Random.seeded(1);
    random.normal();
    const state = random.getState();
    const next = [random.uint32(), random.normal(), random.int(10)];
    const other = Random.seeded(2);
    other.setState(state);
    assert.deepEqual([other.uint32(), other.normal(), other.int(10)], next);
  });
});
