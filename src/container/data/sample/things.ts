import type { Random } from '../random';
import { shade, type Canvas } from './canvas';
import { brightColour, ink, near, white } from './palette';
import { box, circle, curve, ellipse, grow, polygon, stroke, union, within } from './shapes';

export function drawHouse(canvas: Canvas, random: Random): void {
  const [wall, roof, door] = [shade(brightColour(random), 0.5), brightColour(random), brightColour(random)];
  const line = shade(wall, -0.6);
  if (random.uniform() < 0.6) canvas.outlined(box(7, -19, 12, -6), shade(roof, -0.3), line);
  canvas.outlined(box(-15, -3, 15, 20, 1), wall, line);
  canvas.outlined(grow(polygon([-19, -3], [0, -20], [19, -3]), 1), roof, shade(roof, -0.5));
  canvas.outlined(box(-4, 7, 4, 20, 1), door, line, 0.9);
  canvas.fill(circle(2, 14, 0.9), [250, 220, 120]);
  for (const side of [-1, 1]) {
    canvas.outlined(box(side * 10 - 3, 2, side * 10 + 3, 8, 0.5), [250, 236, 160], line, 0.9);
    canvas.fill(
      union(stroke(0.8, [side * 10, 2], [side * 10, 8]), stroke(0.8, [side * 10 - 3, 5], [side * 10 + 3, 5])),
      line,
    );
  }
  canvas.outlined(circle(0, -9, 2.6), [250, 236, 160], line, 0.8);
}

export function drawTree(canvas: Canvas, random: Random): void {
  const leaf = near(random, [90, 160, 80], [130, 180, 80], [224, 150, 70], [240, 170, 190]);
  const line = shade(leaf, -0.5);
  canvas.outlined(polygon([-3, 22], [-2, 2], [2, 2], [3.4, 22]), [140, 100, 70], [80, 54, 40]);
  if (random.uniform() < 0.4) {
    for (const y of [10, 2, -6]) {
      canvas.outlined(grow(polygon([-13 - y * 0.4, y], [0, y - 15], [13 + y * 0.4, y]), 1.2), leaf, line);
    }
    return;
  }
  const lumps = Array.from({ length: 6 }, (_, i) => {
    const angle = (i / 6) * 2 * Math.PI + random.uniform(-0.3, 0.3);
    return circle(Math.cos(angle) * 9, -6 + Math.sin(angle) * 7, random.uniform(6.5, 8.5));
  });
  const crown = union(circle(0, -6, 9), ...lumps);
  canvas.outlined(crown, leaf, line);
  canvas.fill(within(ellipse(-5, -11, 8, 6), grow(crown, -0.5)), shade(leaf, 0.25));
  const fruit = near(random, [220, 70, 70], [250, 210, 90], white);
  for (let i = 0; i < 5; i++)
    canvas.fill(circle(random.uniform(-11, 11), random.uniform(-14, 2), 1.6), fruit);
}

export function drawCar(canvas: Canvas, random: Random): void {
  const colour = brightColour(random);
  const line = shade(colour, -0.55);
  const cabin = polygon([-12, 2], [-7, -9], [7, -9], [13, 2]);
  canvas.outlined(union(grow(cabin, 1.5), box(-22, 0, 22, 12, 4)), colour, line);
  canvas.fill(polygon([-9, 1], [-5.5, -7], [-0.8, -7], [-0.8, 1]), [206, 232, 244]);
  canvas.fill(polygon([0.8, -7], [6, -7], [10, 1], [0.8, 1]), [206, 232, 244]);
  for (const side of [-1, 1]) {
    canvas.outlined(circle(side * 11.5, 12, 5.2), [60, 58, 66], ink, 0.8);
    canvas.fill(circle(side * 11.5, 12, 2.3), [210, 210, 214]);
  }
  canvas.outlined(ellipse(20, 5, 1.8, 2.2), [255, 240, 160], line, 0.6);
  canvas.outlined(ellipse(-20.6, 5, 1.3, 2), [220, 80, 70], line, 0.6);
  canvas.fill(stroke(1, [3, 4.5], [6, 4.5]), line);
}

export function drawFlower(canvas: Canvas, random: Random): void {
  const petal = brightColour(random);
  const count = 5 + random.int(4);
  const [far, long] = [random.uniform(8, 9.5), random.uniform(5, 6.5)];
  canvas.fill(curve(2.4, [0, 24], [random.uniform(-5, 5), 10], [0, -5]), [90, 150, 80]);
  canvas.outlined(ellipse(7, 15, 6.5, 2.8, -0.6), [120, 180, 96], [60, 110, 60], 0.8);
  if (random.uniform() < 0.6)
    canvas.outlined(ellipse(-7, 18, 6, 2.6, 0.6), [120, 180, 96], [60, 110, 60], 0.8);
  const start = random.uniform(0, Math.PI);
  for (let i = 0; i < count; i++) {
    const angle = start + (i / count) * 2 * Math.PI;
    const shape = ellipse(Math.cos(angle) * far, -6 + Math.sin(angle) * far, long, 4.4, angle);
    canvas.outlined(shape, petal, shade(petal, -0.45), 0.9);
  }
  canvas.outlined(circle(0, -6, 5.4), [250, 210, 90], [180, 120, 40], 0.8);
  for (const side of [-1, 1]) canvas.fill(ellipse(side * 1.9, -7.2, 0.8, 1.2), ink);
  canvas.fill(curve(0.8, [-2.2, -4.8], [0, -2.6], [2.2, -4.8]), ink);
}

export function drawMushroom(canvas: Canvas, random: Random): void {
  const cap = brightColour(random);
  const line = shade(cap, -0.55);
  canvas.outlined(union(box(-6, -2, 6, 20, 5), ellipse(0, 17, 8.5, 5)), [246, 234, 214], [130, 110, 94]);
  const half = within(ellipse(0, 0, random.uniform(18, 21), random.uniform(17, 21)), box(-30, -30, 30, 1.5));
  canvas.outlined(half, cap, line);
  for (const [x, y, r] of [
    [-10, -6, 3.4],
    [1, -13, 3.8],
    [10, -6, 3],
    [0, -3.5, 2.2],
  ] as const) {
    canvas.fill(within(circle(x + random.uniform(-1, 1), y, r), grow(half, -0.4)), white);
  }
  for (const side of [-1, 1]) {
    canvas.fill(ellipse(side * 2.6, 8, 0.9, 1.5), ink);
    canvas.fill(ellipse(side * 4.6, 11, 1.3, 0.9), [240, 150, 160], 0.7);
  }
  canvas.fill(curve(0.9, [-1.8, 11], [0, 13], [1.8, 11]), ink);
}

export function drawTeapot(canvas: Canvas, random: Random): void {
  const [colour, trim] = [brightColour(random), brightColour(random)];
  const line = shade(colour, -0.55);
  const handle = curve(3, [12, -3], [27, -2], [11, 12]);
  canvas.outlined(handle, colour, line);
  canvas.outlined(grow(polygon([-10, 9], [-22, -6], [-19, -8], [-8, 0]), 1.2), colour, line);
  canvas.outlined(ellipse(0, 5, 15, 12.5), colour, line);
  canvas.fill(within(curve(3, [-16, 4], [0, 10], [16, 4]), ellipse(0, 5, 14.7, 12.2)), trim);
  canvas.outlined(ellipse(0, -7, 8, 3), shade(colour, 0.15), line);
  canvas.outlined(circle(0, -11.5, 2.4), trim, line);
  canvas.fill(ellipse(-6, -1, 2, 3.6, 0.6), white, 0.6);
  for (const x of [-22, -18]) canvas.fill(curve(1.3, [x, -11], [x - 4, -15], [x + 1, -20]), white, 0.8);
}

export function drawBoat(canvas: Canvas, random: Random): void {
  const [hull, sail] = [brightColour(random), shade(brightColour(random), 0.4)];
  canvas.fill(stroke(1.8, [0, 12], [0, -22]), [120, 84, 60]);
  canvas.outlined(grow(polygon([2.5, -19], [17, 5], [2.5, 5]), 0.8), sail, shade(sail, -0.5));
  canvas.outlined(grow(polygon([-2.5, -13], [-13, 5], [-2.5, 5]), 0.8), white, shade(sail, -0.5));
  canvas.outlined(grow(polygon([-20, 9], [20, 9], [13, 18], [-13, 18]), 1.4), hull, shade(hull, -0.5));
  canvas.fill(grow(polygon([0.8, -22], [9, -20], [0.8, -18]), 0.4), brightColour(random));
  for (let x = -22; x < 22; x += 11) {
    canvas.fill(curve(1.8, [x, 21], [x + 5.5, 25], [x + 11, 21]), [110, 170, 210]);
  }
}

export function drawCupcake(canvas: Canvas, random: Random): void {
  const [paper, cream] = [brightColour(random), shade(brightColour(random), 0.55)];
  const line = shade(cream, -0.5);
  const cup = grow(polygon([-12, 4], [12, 4], [8.5, 20], [-8.5, 20]), 1);
  canvas.outlined(cup, paper, shade(paper, -0.5));
  for (const x of [-6, 0, 6]) canvas.fill(stroke(1.2, [x * 1.2, 5], [x * 0.85, 20]), shade(paper, -0.25));
  canvas.outlined(ellipse(0, 2, 15, 6), cream, line);
  canvas.outlined(ellipse(0, -5, 11.5, 5.4), cream, line);
  canvas.outlined(ellipse(0, -11, 7, 4.6), cream, line);
  canvas.outlined(circle(1, -17, 3.4), [220, 60, 76], [120, 24, 40]);
  canvas.fill(curve(0.9, [1, -20], [3, -24], [7, -24]), [90, 130, 70]);
  for (let i = 0; i < 9; i++) {
    const [x, y, angle] = [random.uniform(-11, 11), random.uniform(-9, 5), random.uniform(0, 3)];
    canvas.fill(
      stroke(1.2, [x, y], [x + Math.cos(angle) * 1.8, y + Math.sin(angle) * 1.8]),
      brightColour(random),
    );
  }
}
