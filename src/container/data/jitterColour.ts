import type { ColourJitter } from './augmentation';

/** Weights of red, green and blue in grey, as torchvision has them. */
const [greyR, greyG, greyB] = [0.2989, 0.587, 0.114] as const;

/** What becomes of each channel at last: value * scale + shift. */
export type Normalisation = {
  readonly scale: readonly [number, number, number];
  readonly shift: readonly [number, number, number];
};

/**
 * Changes brightness, contrast, saturation and hue, in this order, each as torchvision's function of its name; values
 * are held within 0 to 255 after each. The result is normalised on its way out, which spares a pass.
 *
 * @param rgb values 0 to 255, [pixels, 3]
 * @param out written from `to` on, [pixels, 3]
 */
export function jitterColour(
  rgb: Float32Array,
  { brightness, contrast, saturation, hue }: ColourJitter,
  { scale, shift }: Normalisation,
  out: Float32Array,
  to: number,
): void {
  const [scaleR, scaleG, scaleB] = scale;
  const [shiftR, shiftG, shiftB] = shift;
  const towards = (1 - contrast) * meanGrey(rgb, brightness);
  const turn = hue * 6;
  for (let i = 0; i < rgb.length; i += 3) {
    let r = hold(contrast * hold(brightness * (rgb[i] ?? 0)) + towards);
    let g = hold(contrast * hold(brightness * (rgb[i + 1] ?? 0)) + towards);
    let b = hold(contrast * hold(brightness * (rgb[i + 2] ?? 0)) + towards);
    const grey = (1 - saturation) * (greyR * r + greyG * g + greyB * b);
    r = hold(saturation * r + grey);
    g = hold(saturation * g + grey);
    b = hold(saturation * b + grey);

    // Hue is all that changes: the largest and the smallest value stay, and move to other channels.
    const high = r > g ? (r > b ? r : b) : g > b ? g : b;
    const low = r < g ? (r < b ? r : b) : g < b ? g : b;
    const chroma = high - low;
    if (chroma > 0) {
      let place =
        turn + (high === r ? (g - b) / chroma : high === g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma);
      if (place < 0) place += 6;
      else if (place >= 6) place -= 6;
      const sector = Math.floor(place);
      const share = place - sector;
      const between = low + chroma * ((sector & 1) === 0 ? share : 1 - share);
      switch (sector) {
        case 0:
          [r, g, b] = [high, between, low];
          break;
        case 1:
          [r, g, b] = [between, high, low];
          break;
        case 2:
          [r, g, b] = [low, high, between];
          break;
        case 3:
          [r, g, b] = [low, between, high];
          break;
        case 4:
          [r, g, b] = [between, low, high];
          break;
        default:
          [r, g, b] = [high, low, between];
      }
    }
    out[to + i] = r * scaleR + shiftR;
    out[to + i + 1] = g * scaleG + shiftG;
    out[to + i + 2] = b * scaleB + shiftB;
  }
}

/** The mean of grey once brightness is changed. */
function meanGrey(rgb: Float32Array, brightness: number): number {
  let [sumR, sumG, sumB] = [0, 0, 0];
  for (let i = 0; i < rgb.length; i += 3) {
    sumR += hold(brightness * (rgb[i] ?? 0));
    sumG += hold(brightness * (rgb[i + 1] ?? 0));
    sumB += hold(brightness * (rgb[i + 2] ?? 0));
  }
  return (greyR * sumR + greyG * sumG + greyB * sumB) / (rgb.length / 3);
}

function hold(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
