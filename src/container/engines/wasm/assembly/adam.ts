/**
 * One Adam step for `count` weights (Kingma and Ba, 2015), with decoupled weight decay (Loshchilov and Hutter, 2019).
 * The moments are updated in place, the new weights go to `out`. `rate` includes the correction of the first moment's
 * bias, `correction2` is that of the second, `keep` is 1 - learning rate * weight decay; the gradient is taken times
 * `factor`, which clips it. `out` may be `weights`.
 */
export function adam(
  weights: usize,
  gradient: usize,
  moment1: usize,
  moment2: usize,
  out: usize,
  count: i32,
  rate: f32,
  beta1: f32,
  beta2: f32,
  correction2: f32,
  epsilon: f32,
  keep: f32,
  factor: f32,
): void {
  const factors = f32x4.splat(factor);
  const rates = f32x4.splat(rate);
  const beta1s = f32x4.splat(beta1);
  const beta2s = f32x4.splat(beta2);
  const rest1: f32 = 1 - beta1;
  const rest2: f32 = 1 - beta2;
  const rest1s = f32x4.splat(rest1);
  const rest2s = f32x4.splat(rest2);
  const corrections = f32x4.splat(correction2);
  const epsilons = f32x4.splat(epsilon);
  const keeps = f32x4.splat(keep);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const g = f32x4.mul(v128.load(gradient), factors);
    const m = f32x4.add(f32x4.mul(beta1s, v128.load(moment1)), f32x4.mul(rest1s, g));
    const v = f32x4.add(f32x4.mul(beta2s, v128.load(moment2)), f32x4.mul(rest2s, f32x4.mul(g, g)));
    v128.store(moment1, m);
    v128.store(moment2, v);
    const scale = f32x4.add(f32x4.sqrt(f32x4.mul(v, corrections)), epsilons);
    v128.store(out, f32x4.sub(f32x4.mul(keeps, v128.load(weights)), f32x4.div(f32x4.mul(rates, m), scale)));
    weights += 16;
    gradient += 16;
    moment1 += 16;
    moment2 += 16;
    out += 16;
  }
  for (; i < count; i++) {
    const g = load<f32>(gradient) * factor;
    const m = beta1 * load<f32>(moment1) + rest1 * g;
    const v = beta2 * load<f32>(moment2) + rest2 * (g * g);
    store<f32>(moment1, m);
    store<f32>(moment2, v);
    store<f32>(out, keep * load<f32>(weights) - (rate * m) / (sqrt<f32>(v * correction2) + epsilon));
    weights += 4;
    gradient += 4;
    moment1 += 4;
    moment2 += 4;
    out += 4;
  }
}
