import type { Random } from '../random';
import { mix, shade, type Colour } from './canvas';

export const ink: Colour = [45, 36, 48];
export const white: Colour = [252, 250, 245];
export const pink: Colour = [240, 150, 160];

/** A colour near one of `colours`, a little lighter or darker. */
export function near(random: Random, ...colours: readonly [Colour, ...Colour[]]): Colour {
  return shade(random.pick(colours), random.uniform(-0.12, 0.12));
}

const lively: readonly [Colour, ...Colour[]] = [
  [226, 84, 80],
  [240, 150, 70],
  [246, 200, 84],
  [120, 184, 100],
  [86, 170, 190],
  [96, 124, 206],
  [160, 110, 190],
  [232, 130, 170],
];

/** A strong colour, as of toys. */
export function brightColour(random: Random): Colour {
  return near(random, ...lively);
}

/** A pale or muted colour for walls and skies; the same for cats and all others. */
export function backgroundColour(random: Random): Colour {
  return mix(
    near(random, ...lively),
    random.pick([white, white, [200, 205, 215], [90, 96, 120]]),
    random.uniform(0.45, 0.85),
  );
}

/** Fur of cats, dogs and rabbits alike, so that its colour does not tell them apart. */
export function furColour(random: Random): Colour {
  return near(
    random,
    [236, 150, 72],
    [206, 120, 60],
    [246, 214, 160],
    [246, 240, 228],
    [150, 150, 158],
    [104, 108, 122],
    [66, 60, 68],
    [150, 106, 74],
    [112, 78, 58],
    [196, 172, 148],
  );
}
