import type { Random } from '../random';
import { drawBird, drawDog, drawFish, drawOwl, drawRabbit } from './animals';
import { Canvas, shade } from './canvas';
import { drawCat } from './cats';
import { backgroundColour } from './palette';
import { circle, ellipse, polygon, stroke } from './shapes';
import {
  drawBoat,
  drawCar,
  drawCupcake,
  drawFlower,
  drawHouse,
  drawMushroom,
  drawTeapot,
  drawTree,
} from './things';

/** Width and height of a sample image in pixels. */
export const sampleSize = 64;

type Drawing = (canvas: Canvas, random: Random) => void;

/** What is not a cat, by name. Dogs come three times and rabbits twice: with houses only, a cat would be too easy. */
export const others: readonly (readonly [name: string, draw: Drawing])[] = [
  ['dog', drawDog],
  ['fish', drawFish],
  ['house', drawHouse],
  ['rabbit', drawRabbit],
  ['bird', drawBird],
  ['tree', drawTree],
  ['dog', drawDog],
  ['car', drawCar],
  ['owl', drawOwl],
  ['flower', drawFlower],
  ['mushroom', drawMushroom],
  ['rabbit', drawRabbit],
  ['teapot', drawTeapot],
  ['dog', drawDog],
  ['boat', drawBoat],
  ['cupcake', drawCupcake],
];

/** Draws the `index`-th cat, or the `index`-th of the others, on a background that tells nothing. */
export function drawSample(
  kind: 'cat' | 'other',
  index: number,
  random: Random,
): { name: string; canvas: Canvas } {
  const [name, draw] =
    kind === 'cat'
      ? (['cat', drawCat] as const)
      : (others[index % others.length] ?? (['dog', drawDog] as const));
  const canvas = new Canvas(sampleSize, backgroundColour(random));
  drawBackground(canvas, random);
  const placement = {
    x: random.uniform(-5, 5),
    y: random.uniform(-4, 4),
    scale: random.uniform(0.72, 1.12),
    angle: random.uniform(-0.28, 0.28),
    mirrored: random.uniform() < 0.5,
  };
  canvas.placed(placement, () => draw(canvas, random));
  return { name, canvas };
}

function drawBackground(canvas: Canvas, random: Random): void {
  const colour = backgroundColour(random);
  switch (random.int(6)) {
    case 0:
      break;
    case 1: {
      const horizon = random.uniform(2, 18);
      canvas.fill(
        polygon([-40, horizon], [40, horizon + random.uniform(-5, 5)], [40, 40], [-40, 40]),
        colour,
      );
      break;
    }
    case 2:
      for (let y = -28; y <= 28; y += 14) {
        for (let x = -28; x <= 28; x += 14) canvas.fill(circle(x + ((y / 14) % 2) * 7, y, 3), colour, 0.7);
      }
      break;
    case 3: {
      const lean = random.uniform(-20, 20);
      for (let x = -48; x <= 48; x += 16)
        canvas.fill(stroke(7, [x - lean, -36], [x + lean, 36]), colour, 0.6);
      break;
    }
    case 4:
      canvas.fill(circle(random.uniform(-8, 8), random.uniform(-8, 8), random.uniform(20, 28)), colour, 0.8);
      break;
    default:
      canvas.fill(ellipse(random.uniform(-16, 16), 34, 46, random.uniform(12, 22)), colour);
      canvas.fill(circle(random.uniform(-26, 26), -24, random.uniform(3, 6)), shade(colour, 0.4));
  }
}
