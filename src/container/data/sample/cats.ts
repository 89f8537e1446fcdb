import type { Random } from '../random';
import { shade, type Canvas, type Colour } from './canvas';
import { brightColour, furColour, ink, near, pink, white } from './palette';
import { circle, curve, ellipse, grow, polygon, stroke, union, within, type Shape } from './shapes';

type Coat = {
  fur: Colour;
  line: Colour;
  marking: Colour;
  belly: Colour;
  pattern: 'plain' | 'stripes' | 'patches' | 'mask';
};

/** Draws one cat around the origin, some 48 units across. */
export function drawCat(canvas: Canvas, random: Random): void {
  const fur = furColour(random);
  const isPale = fur[0] + fur[1] + fur[2] > 600;
  const coat: Coat = {
    fur,
    line: shade(fur, -0.6),
    marking: isPale
      ? near(random, [120, 84, 66], [226, 140, 66], [120, 120, 130])
      : shade(fur, random.pick([-0.4, -0.35, 0.35])),
    belly: shade(fur, random.uniform(0.45, 0.8)),
    pattern: random.pick(['plain', 'stripes', 'stripes', 'patches', 'mask']),
  };
  const pose = random.uniform();
  if (pose < 0.4)
    canvas.placed({ y: 3, scale: random.uniform(1.05, 1.3) }, () => drawHead(canvas, random, coat));
  else if (pose < 0.75) drawSitting(canvas, random, coat);
  else drawLying(canvas, random, coat);
}

function drawSitting(canvas: Canvas, random: Random, coat: Coat): void {
  const tailUp = random.uniform(-2, 14);
  drawTail(canvas, coat, curve(5, [8, 20], [23, 24], [19, tailUp]));
  const body = union(ellipse(0, 14, 10.5, 11), ellipse(0, 7, 7.5, 10));
  canvas.outlined(body, coat.fur, coat.line);
  drawMarkings(canvas, random, coat, body, 12);
  canvas.fill(ellipse(0, 12, 5, 8), coat.belly);
  for (const side of [-1, 1]) {
    canvas.outlined(ellipse(side * 3.6, 23, 3.4, 2.6), shade(coat.fur, 0.15), coat.line, 0.9);
    canvas.fill(stroke(0.7, [side * 3.6, 23], [side * 3.6, 25]), coat.line);
  }
  if (random.uniform() < 0.4) drawCollar(canvas, random, 2.5);
  canvas.placed({ y: -8, scale: 0.82, angle: random.uniform(-0.2, 0.2) }, () =>
    drawHead(canvas, random, coat),
  );
}

function drawLying(canvas: Canvas, random: Random, coat: Coat): void {
  drawTail(canvas, coat, curve(4.6, [-17, 15], [-27, 12], [-22, random.uniform(-6, 4)]));
  const body = union(ellipse(-4, 12, 18, 9.5), ellipse(-9, 10, 12, 10));
  canvas.outlined(body, coat.fur, coat.line);
  drawMarkings(canvas, random, coat, body, 10);
  for (const x of [6, 14]) canvas.outlined(ellipse(x, 20, 4, 2.4), shade(coat.fur, 0.15), coat.line, 0.9);
  canvas.placed({ x: 9, y: 0, scale: 0.78, angle: random.uniform(-0.25, 0.15) }, () =>
    drawHead(canvas, random, coat),
  );
}

function drawTail(canvas: Canvas, { fur, line, marking, pattern }: Coat, tail: Shape): void {
  canvas.outlined(tail, fur, line);
  if (pattern !== 'plain')
    canvas.fill(within(ellipse(tail.bounds[2] - 2, tail.bounds[1] + 2, 5, 5), tail), marking);
}

function drawCollar(canvas: Canvas, random: Random, y: number): void {
  canvas.fill(curve(2.2, [-6.5, y - 0.6], [0, y + 3.4], [6.5, y - 0.6]), brightColour(random));
  canvas.outlined(circle(0, y + 2.8, 1.5), [250, 214, 90], [150, 110, 30], 0.6);
}

function drawMarkings(
  canvas: Canvas,
  random: Random,
  { marking, pattern }: Coat,
  body: Shape,
  y: number,
): void {
  const inside = grow(body, -0.3);
  if (pattern === 'stripes') {
    for (let x = -18; x <= 18; x += 5) {
      const lean = random.uniform(-1, 1);
      canvas.fill(within(curve(1.8, [x, y - 12], [x + 2 + lean, y - 7], [x + lean, y - 2]), inside), marking);
    }
  } else if (pattern === 'patches') {
    for (let i = 0; i < 3; i++) {
      const patch = ellipse(
        random.uniform(-14, 10),
        y + random.uniform(-8, 7),
        random.uniform(3, 6),
        random.uniform(2.5, 5),
      );
      canvas.fill(within(patch, inside), marking);
    }
  }
}

function drawHead(canvas: Canvas, random: Random, coat: Coat): void {
  const { fur, line, marking, pattern } = coat;
  const wide = random.uniform(15.5, 17.5);
  const tall = random.uniform(12.5, 14.5);
  const [earTop, earOut] = [random.uniform(18, 22), random.uniform(12, 15)];
  for (const side of [-1, 1]) {
    const ear = grow(
      polygon([side * (wide - 2.5), -3], [side * earOut, -earTop], [side * 3.5, -tall + 2]),
      0.8,
    );
    canvas.outlined(ear, pattern === 'mask' ? marking : fur, line);
    canvas.fill(
      grow(
        polygon([side * (wide - 4.5), -7], [side * (earOut - 0.8), -earTop + 4], [side * 6.5, -tall + 1.5]),
        0.2,
      ),
      pink,
    );
  }
  const face = union(ellipse(0, 0, wide, tall), ellipse(0, 3, wide * 0.98, tall * 0.78));
  canvas.outlined(face, fur, line);
  drawFaceMarkings(canvas, random, coat, grow(face, -0.3));
  canvas.fill(union(ellipse(-3.2, 6, 4.2, 3.6), ellipse(3.2, 6, 4.2, 3.6)), coat.belly);
  drawEyes(canvas, random, line);
  for (const side of [-1, 1]) canvas.fill(ellipse(side * 10.5, 5, 2.6, 1.7), pink, 0.45);
  canvas.fill(grow(polygon([-1.6, 2.6], [1.6, 2.6], [0, 4.4]), 0.5), near(random, pink, [90, 60, 66]));
  for (const side of [-1, 1]) {
    canvas.fill(curve(0.9, [0, 4.6], [side * 0.6, 8], [side * 3.6, 7]), ink);
    for (const [y, end] of [
      [4.6, 2.2],
      [6, 6],
      [7.4, 9.8],
    ] as const) {
      canvas.fill(
        stroke(0.75, [side * 7.5, y], [side * (wide + 5.5), end]),
        fur[1] < 130 ? white : ink,
        0.85,
      );
    }
  }
  if (random.uniform() < 0.25) canvas.fill(curve(2.6, [-2.2, 7.8], [0, 13], [2.2, 7.8]), pink);
}

function drawFaceMarkings(canvas: Canvas, random: Random, { marking, pattern }: Coat, face: Shape): void {
  if (pattern === 'stripes') {
    for (const x of [-4, 0, 4])
      canvas.fill(within(stroke(1.8, [x * 1.2, -16], [x * 0.8, -8.5]), face), marking);
    for (const side of [-1, 1]) {
      for (const y of [-1, 3])
        canvas.fill(within(stroke(1.5, [side * 19, y - 1], [side * 12.5, y]), face), marking);
    }
  } else if (pattern === 'patches') {
    const side = random.pick([-1, 1]);
    canvas.fill(within(ellipse(side * 9, -6, 8.5, 9, side * 0.5), face), marking);
  } else if (pattern === 'mask') {
    canvas.fill(within(ellipse(0, 4, 9, 8.5), face), marking);
  }
}

function drawEyes(canvas: Canvas, random: Random, line: Colour): void {
  const mood = random.uniform();
  const iris = near(random, [130, 190, 90], [240, 190, 70], [100, 170, 210], [220, 150, 60]);
  const [look, pupil] = [random.uniform(-0.7, 0.7), random.uniform(0.8, 1.9)];
  for (const side of [-1, 1]) {
    const x = side * 6.6;
    if (mood < 0.2 || (mood < 0.26 && side === 1)) {
      canvas.fill(curve(1.3, [x - 3, -0.2], [x, -4.6], [x + 3, -0.2]), ink);
    } else if (mood < 0.32 && mood >= 0.26) {
      canvas.fill(curve(1.3, [x - 3, -1.6], [x, 2], [x + 3, -1.6]), ink);
    } else {
      canvas.outlined(ellipse(x, -1.6, 3.1, 3.5), iris, line, 0.8);
      canvas.fill(ellipse(x + look, -1.6, pupil, 3), ink);
      canvas.fill(circle(x + look - 0.9, -3, 0.95), white);
    }
  }
}
