import type { Augmentation } from '../../protocol/augmentation';
import type { Random } from './random';

/** Share of the side: 3 pixels of 32, about the 4 with which CIFAR's images are usually padded and cropped. */
const widestMove = 0.1;
/** Of the area, and width over height, as torchvision's RandomResizedCrop takes them. */
const smallestCrop = 0.7;
const widestLogRatio = Math.log(4 / 3);
/** As ColorJitter(0.2, 0.2, 0.2, 0.1). */
const jitter = 0.2;
const hueJitter = 0.1;
/** As RandomAffine(15, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=10). */
const maxDegrees = 15;
const maxTranslation = 0.1;
const maxScaling = 0.1;
const maxShearDegrees = 10;

/** What is done to one image. */
export type Variation = {
  /** From the centre of an output pixel to the place in the input: x' = xx x + xy y + x0, y' = yx x + yy y + y0. */
  readonly xx: number;
  readonly xy: number;
  readonly x0: number;
  readonly yx: number;
  readonly yy: number;
  readonly y0: number;
  readonly colour: ColourJitter | undefined;
};

/** Factors as ColorJitter draws them, applied in this order (torchvision shuffles the order for each image). */
export type ColourJitter = {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  /** Shift in turns of the colour wheel. */
  readonly hue: number;
};

/**
 * Draws a variation for a square image of `size` pixels a side. `basic`: mirrored left to right, or not, and
 * moved by whole pixels. `standard`: mirrored, cropped at random and varied in colour. `advanced`: also turned, moved, scaled and sheared.
 */
export function drawVariation(level: Augmentation, random: Random, size: number): Variation {
  const side = random.uint32() >= 0x80000000 ? -1 : 1;
  if (level === 'basic') {
    const most = Math.round(size * widestMove);
    const [right, down] = [random.int(2 * most + 1) - most, random.int(2 * most + 1) - most];
    return { xx: side, xy: 0, x0: (side < 0 ? size : 0) + right, yx: 0, yy: 1, y0: down, colour: undefined };
  }
  const crop = drawCrop(random);
  const colour: ColourJitter = {
    brightness: random.uniform(1 - jitter, 1 + jitter),
    contrast: random.uniform(1 - jitter, 1 + jitter),
    saturation: random.uniform(1 - jitter, 1 + jitter),
    hue: random.uniform(-hueJitter, hueJitter),
  };
  const turn = level === 'advanced' ? drawAffine(random) : identity;
  // Output pixel, from the centre; mirrored and scaled to the crop; turned; back from the centre, and moved.
  const [width, height] = [crop.width * side, crop.height];
  const [xx, xy] = [turn.xx * width, turn.xy * height];
  const [yx, yy] = [turn.yx * width, turn.yy * height];
  const half = size / 2;
  return {
    xx,
    xy,
    yx,
    yy,
    colour,
    x0: (crop.x + turn.x) * size + half - (xx + xy) * half,
    y0: (crop.y + turn.y) * size + half - (yx + yy) * half,
  };
}

/** A part of the image as shares of its sides, and how far its centre is from the image's. */
function drawCrop(random: Random): { width: number; height: number; x: number; y: number } {
  const area = random.uniform(smallestCrop, 1);
  const ratio = Math.exp(random.uniform(-widestLogRatio, widestLogRatio));
  const width = Math.min(1, Math.sqrt(area * ratio));
  const height = Math.min(1, Math.sqrt(area / ratio));
  return {
    width,
    height,
    x: (random.uniform() - 0.5) * (1 - width),
    y: (random.uniform() - 0.5) * (1 - height),
  };
}

type Affine = Readonly<Record<'xx' | 'xy' | 'yx' | 'yy' | 'x' | 'y', number>>;

const identity: Affine = { xx: 1, xy: 0, yx: 0, yy: 1, x: 0, y: 0 };

/** The inverse of turning, shearing and scaling about the centre, and a shift in shares of the side. */
function drawAffine(random: Random): Affine {
  const angle = radians(random.uniform(-maxDegrees, maxDegrees));
  const shear = Math.tan(radians(random.uniform(-maxShearDegrees, maxShearDegrees)));
  const inverse = 1 / random.uniform(1 - maxScaling, 1 + maxScaling);
  const [cos, sin] = [Math.cos(angle) * inverse, Math.sin(angle) * inverse];
  const x = random.uniform(-maxTranslation, maxTranslation);
  const y = random.uniform(-maxTranslation, maxTranslation);
  return { xx: cos + shear * sin, xy: sin - shear * cos, yx: -sin, yy: cos, x, y };
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
