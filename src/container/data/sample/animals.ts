import type { Random } from '../random';
import { shade, type Canvas } from './canvas';
import { brightColour, furColour, ink, near, pink, white } from './palette';
import { box, circle, curve, ellipse, grow, polygon, stroke, union, within } from './shapes';

/** A dog's face, its ears hanging down. */
export function drawDog(canvas: Canvas, random: Random): void {
  const fur = furColour(random);
  const line = shade(fur, -0.6);
  const ear = shade(fur, random.pick([-0.4, -0.3, 0.3]));
  const [drop, tilt] = [random.uniform(2, 6), random.uniform(0.1, 0.35)];
  const head = union(ellipse(0, -4, 13.5, 12.5), ellipse(0, 6, 10, 10.5));
  if (random.uniform() < 0.5) {
    canvas.fill(curve(4, [-8, 14], [0, 21], [8, 14]), brightColour(random));
    canvas.outlined(circle(0, 20, 2), [250, 214, 90], [150, 110, 30], 0.6);
  }
  canvas.outlined(head, fur, line);
  if (random.uniform() < 0.4) {
    canvas.fill(within(ellipse(6, -5, 6, 8), grow(head, -0.3)), shade(fur, random.pick([-0.35, 0.5])));
  }
  for (const side of [-1, 1]) {
    canvas.outlined(ellipse(side * 14, drop - 3, 4.6, 10.5, -side * tilt), ear, line);
  }
  canvas.fill(ellipse(0, 8, 7.6, 6.8), shade(fur, 0.55));
  if (random.uniform() < 0.6) {
    canvas.outlined(union(box(-2.6, 11, 2.6, 15, 1), circle(0, 16, 2.6)), pink, shade(pink, -0.4), 0.7);
    canvas.fill(stroke(0.7, [0, 12], [0, 16]), shade(pink, -0.3));
  }
  for (const side of [-1, 1]) {
    canvas.fill(ellipse(side * 5.4, -4, 2.2, 2.7), ink);
    canvas.fill(circle(side * 5.4 - 0.7, -5, 0.9), white);
    canvas.fill(curve(1, [side * 3.6, -9], [side * 5.4, -10.6], [side * 7.4, -9]), line);
    canvas.fill(curve(1, [0, 7], [side * 1, 11.5], [side * 5, 10.4]), ink);
  }
  canvas.fill(ellipse(0, 5, 3.4, 2.5), ink);
  canvas.fill(ellipse(-1, 4.3, 0.9, 0.6), white, 0.8);
}

/** A rabbit's face, the nearest to a cat's. */
export function drawRabbit(canvas: Canvas, random: Random): void {
  const fur = furColour(random);
  const line = shade(fur, -0.6);
  const [lean, bent] = [random.uniform(0, 0.3), random.uniform() < 0.3];
  for (const side of [-1, 1]) {
    const angle = side * (bent && side === 1 ? 0.8 : lean);
    const [x, y] = [side * 5.5 + Math.sin(angle) * 11, -8 - Math.cos(angle) * 8];
    canvas.outlined(ellipse(x, y, 3.9, 12, angle), fur, line);
    canvas.fill(ellipse(x, y + 1, 1.9, 8.6, angle), pink);
  }
  canvas.outlined(union(ellipse(0, 4, 13, 12), ellipse(0, 8, 14.5, 9)), fur, line);
  canvas.fill(union(ellipse(-3, 10, 4, 3.6), ellipse(3, 10, 4, 3.6)), shade(fur, 0.6));
  canvas.outlined(box(-1.8, 11.5, 1.8, 15, 0.5), white, line, 0.6);
  canvas.fill(stroke(0.5, [0, 12], [0, 15]), line);
  for (const side of [-1, 1]) {
    canvas.fill(ellipse(side * 6, 1, 2, 2.8), ink);
    canvas.fill(circle(side * 6 - 0.6, 0, 0.9), white);
    canvas.fill(ellipse(side * 9.5, 7, 2.5, 1.7), pink, 0.5);
    canvas.fill(curve(0.9, [0, 9], [side * 0.8, 12], [side * 3.6, 11]), ink);
  }
  canvas.fill(ellipse(0, 7.6, 1.8, 1.3), shade(pink, -0.15));
}

export function drawFish(canvas: Canvas, random: Random): void {
  const colour = brightColour(random);
  const line = shade(colour, -0.55);
  const stripe = random.pick([white, shade(colour, -0.3), brightColour(random)]);
  const [long, tall] = [random.uniform(13, 17), random.uniform(8, 11)];
  canvas.outlined(grow(polygon([10, 0], [22, -9], [19, 0], [22, 9]), 1), shade(colour, -0.15), line);
  canvas.outlined(
    grow(polygon([-6, -tall + 2], [4, -tall - 6], [9, -tall + 4]), 1),
    shade(colour, -0.15),
    line,
  );
  const body = ellipse(-2, 0, long, tall);
  canvas.outlined(body, colour, line);
  for (const x of [-2, 5])
    canvas.fill(within(curve(3, [x, -12], [x + 3, 0], [x, 12]), grow(body, -0.3)), stripe);
  canvas.outlined(ellipse(0, 3, 4.4, 2.3, 0.4), shade(colour, 0.25), line, 0.7);
  canvas.outlined(circle(-9.5, -2, 2.9), white, line, 0.7);
  canvas.fill(circle(-9.9, -2, 1.5), ink);
  canvas.fill(curve(0.9, [-14, 3], [-11.5, 5.5], [-9.5, 4]), ink);
  for (const [x, y, r] of [
    [-20, -7, 1.8],
    [-22, -13, 1.2],
  ] as const) {
    canvas.outlined(circle(x, y, r), [214, 236, 246], [120, 170, 196], 0.6);
  }
}

export function drawBird(canvas: Canvas, random: Random): void {
  const colour = brightColour(random);
  const line = shade(colour, -0.55);
  const leg = near(random, [236, 150, 60], [120, 90, 70]);
  for (const x of [-2, 4]) canvas.fill(stroke(1.4, [x, 12], [x - 1, 21], [x - 4, 21.5]), leg);
  canvas.outlined(grow(polygon([12, 2], [24, -5], [23, 3], [14, 9]), 1), shade(colour, -0.2), line);
  canvas.outlined(union(ellipse(1, 4, 14, 10.5, -0.2), circle(-8, -7, 8.5)), colour, line);
  canvas.fill(ellipse(-4, 7, 7.5, 6.5, 0.3), shade(colour, 0.5));
  canvas.outlined(ellipse(6, 3, 8.5, 5, 0.4 + random.uniform(-0.6, 0.2)), shade(colour, -0.18), line, 0.8);
  canvas.outlined(grow(polygon([-15, -9], [-22, -5.5], [-15, -4]), 0.6), [244, 170, 60], [150, 90, 30], 0.7);
  canvas.fill(circle(-10.5, -8.5, 2), ink);
  canvas.fill(circle(-11.2, -9.2, 0.8), white);
  for (const lean of [-2, 1]) canvas.fill(curve(1.4, [-7, -15], [-6 + lean, -19], [-4 + lean, -20]), line);
}

export function drawOwl(canvas: Canvas, random: Random): void {
  const fur = furColour(random);
  const line = shade(fur, -0.6);
  for (const side of [-1, 1]) {
    canvas.outlined(grow(polygon([side * 3, -12], [side * 11, -20], [side * 12, -8]), 1), fur, line);
  }
  canvas.outlined(union(ellipse(0, 4, 14, 17), ellipse(0, -4, 13, 11)), fur, line);
  canvas.fill(ellipse(0, 10, 8.5, 9.5), shade(fur, 0.5));
  for (const [x, y] of [
    [-4, 7],
    [0, 7],
    [4, 7],
    [-2, 11],
    [2, 11],
    [0, 15],
  ] as const) {
    canvas.fill(curve(1, [x - 1.4, y], [x, y + 2], [x + 1.4, y]), line);
  }
  for (const side of [-1, 1]) {
    canvas.outlined(ellipse(side * 12.5, 7, 3.6, 10, side * 0.2), shade(fur, -0.25), line, 0.9);
    canvas.outlined(circle(side * 5.6, -6, 5.2), white, line, 0.8);
    canvas.fill(circle(side * 5.2, -6, 2.9), ink);
    canvas.fill(circle(side * 5.2 - 1, -7.2, 1), white);
    canvas.fill(ellipse(side * 4.5, 21, 3, 1.6), [240, 170, 70]);
  }
  canvas.fill(grow(polygon([-1.6, -3], [1.6, -3], [0, 0.8]), 0.5), [240, 170, 70]);
}
