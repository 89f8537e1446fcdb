import { bytes, horizontalSum, madd } from './simd';

/** Sum of one row. */
function rowSum(x: usize, n: i32): f32 {
  let lanes = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) lanes = f32x4.add(lanes, v128.load(x + bytes(i)));
  let sum = horizontalSum(lanes);
  for (; i < n; i++) sum += load<f32>(x + bytes(i));
  return sum;
}

/** Sum of (x - mean)^2 over one row. */
function rowSpread(x: usize, mean: f32, n: i32): f32 {
  const means = f32x4.splat(mean);
  let lanes = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const d = f32x4.sub(v128.load(x + bytes(i)), means);
    lanes = madd(d, d, lanes);
  }
  let sum = horizontalSum(lanes);
  for (; i < n; i++) {
    const d = load<f32>(x + bytes(i)) - mean;
    sum += d * d;
  }
  return sum;
}

/**
 * y = (x - mean) / sqrt(variance + epsilon) * gamma + beta for each row of x[rows, n]; `gamma` of 0 (no address) means
 * neither gamma nor beta. `statistics` [rows, 2] takes each row's mean and inverse deviation, which the gradient needs.
 */
export function layerNorm(
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  statistics: usize,
  rows: i32,
  n: i32,
  epsilon: f32,
): void {
  const share: f32 = 1 / <f32>n;
  for (let row = 0; row < rows; row++) {
    const mean = rowSum(x, n) * share;
    const inverse: f32 = 1 / sqrt<f32>(rowSpread(x, mean, n) * share + epsilon);
    store<f32>(statistics, mean);
    store<f32>(statistics, inverse, 4);
    const means = f32x4.splat(mean);
    const inverses = f32x4.splat(inverse);
    let i = 0;
    if (gamma) {
      for (; i + 4 <= n; i += 4) {
        const normal = f32x4.mul(f32x4.sub(v128.load(x + bytes(i)), means), inverses);
        v128.store(y + bytes(i), madd(normal, v128.load(gamma + bytes(i)), v128.load(beta + bytes(i))));
      }
      for (; i < n; i++) {
        const normal = (load<f32>(x + bytes(i)) - mean) * inverse;
        store<f32>(y + bytes(i), normal * load<f32>(gamma + bytes(i)) + load<f32>(beta + bytes(i)));
      }
    } else {
      for (; i + 4 <= n; i += 4) {
        v128.store(y + bytes(i), f32x4.mul(f32x4.sub(v128.load(x + bytes(i)), means), inverses));
      }
      for (; i < n; i++) store<f32>(y + bytes(i), (load<f32>(x + bytes(i)) - mean) * inverse);
    }
    x += bytes(n);
    y += bytes(n);
    statistics += 8;
  }
}

/**
 * Gradient of {@link layerNorm}: dx = inverse * (g - mean(g) - normal * mean(g * normal)) with g = dy * gamma. With
 * `gamma` it writes dGamma and dBeta too, else their addresses are not used.
 */
export function layerNormGradient(
  dy: usize,
  x: usize,
  gamma: usize,
  statistics: usize,
  dx: usize,
  dGamma: usize,
  dBeta: usize,
  rows: i32,
  n: i32,
): void {
  const share: f32 = 1 / <f32>n;
  if (gamma) {
    memory.fill(dGamma, 0, bytes(n));
    memory.fill(dBeta, 0, bytes(n));
  }
  for (let row = 0; row < rows; row++) {
    const mean = load<f32>(statistics);
    const inverse = load<f32>(statistics, 4);
    const means = f32x4.splat(mean);
    const inverses = f32x4.splat(inverse);
    let sums = f32x4.splat(0);
    let products = sums;
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const at = bytes(i);
      let g = v128.load(dy + at);
      const normal = f32x4.mul(f32x4.sub(v128.load(x + at), means), inverses);
      if (gamma) {
        v128.store(dBeta + at, f32x4.add(v128.load(dBeta + at), g));
        v128.store(dGamma + at, madd(g, normal, v128.load(dGamma + at)));
        g = f32x4.mul(g, v128.load(gamma + at));
      }
      sums = f32x4.add(sums, g);
      products = madd(g, normal, products);
    }
    let sum = horizontalSum(sums);
    let product = horizontalSum(products);
    for (; i < n; i++) {
      const at = bytes(i);
      let g = load<f32>(dy + at);
      const normal = (load<f32>(x + at) - mean) * inverse;
      if (gamma) {
        store<f32>(dBeta + at, load<f32>(dBeta + at) + g);
        store<f32>(dGamma + at, load<f32>(dGamma + at) + g * normal);
        g *= load<f32>(gamma + at);
      }
      sum += g;
      product += g * normal;
    }
    sum *= share;
    product *= share;
    const sumLanes = f32x4.splat(sum);
    const productLanes = f32x4.splat(product);
    i = 0;
    for (; i + 4 <= n; i += 4) {
      const at = bytes(i);
      let g = v128.load(dy + at);
      if (gamma) g = f32x4.mul(g, v128.load(gamma + at));
      const normal = f32x4.mul(f32x4.sub(v128.load(x + at), means), inverses);
      const rest = f32x4.sub(f32x4.sub(g, sumLanes), f32x4.mul(normal, productLanes));
      v128.store(dx + at, f32x4.mul(inverses, rest));
    }
    for (; i < n; i++) {
      const at = bytes(i);
      let g = load<f32>(dy + at);
      if (gamma) g *= load<f32>(gamma + at);
      const normal = (load<f32>(x + at) - mean) * inverse;
      store<f32>(dx + at, inverse * (g - sum - normal * product));
    }
    dy += bytes(n);
    x += bytes(n);
    dx += bytes(n);
    statistics += 8;
  }
}
