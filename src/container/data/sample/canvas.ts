import type { Shape } from './shapes';

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

/** Where and how a drawing is placed. Angle in radians, clockwise; `mirrored` swaps left and right first. */
export type Placement = {
  readonly x?: number;
  readonly y?: number;
  readonly scale?: number;
  readonly angle?: number;
  readonly mirrored?: boolean;
};

/** From the present coordinates to pixels: x' = xx x + xy y + x0, y' = yx x + yy y + y0. */
type Transform = { xx: number; xy: number; yx: number; yy: number; x0: number; y0: number; scale: number };

/** A square picture of `size` pixels a side. The origin is its centre, one unit is one pixel until placed otherwise. */
export class Canvas {
  readonly size: number;
  /** Shape [size, size, 3]. */
  readonly rgb: Uint8Array;
  #transform: Transform;

  constructor(size: number, background: Colour) {
    this.size = size;
    this.rgb = new Uint8Array(size * size * 3);
    const [r, g, b] = background;
    for (let i = 0; i < this.rgb.length; i += 3) {
      this.rgb[i] = r;
      this.rgb[i + 1] = g;
      this.rgb[i + 2] = b;
    }
    this.#transform = { xx: 1, xy: 0, yx: 0, yy: 1, x0: size / 2, y0: size / 2, scale: 1 };
  }

  /** Fills a shape, its edge smoothed by how much of each pixel it covers. */
  fill(shape: Shape, colour: Colour, opacity = 1): void {
    this.#paint(shape, colour, opacity, colour, 0);
  }

  /** Fills a shape and draws its outline around it. */
  outlined(shape: Shape, colour: Colour, line: Colour, lineWidth = 1.1): void {
    this.#paint(shape, colour, 1, line, lineWidth);
  }

  #paint(shape: Shape, colour: Colour, opacity: number, line: Colour, lineWidth: number): void {
    const t = this.#transform;
    const [left, top, right, bottom] = this.#pixelBounds(shape.bounds, lineWidth);
    // The transform is a rotation and one scale: its transpose over the scale's square is its inverse.
    const inverse = 1 / (t.scale * t.scale);
    const [xx, xy, yx, yy] = [t.xx * inverse, t.xy * inverse, t.yx * inverse, t.yy * inverse];
    const lineReach = lineWidth * t.scale;
    for (let py = top; py < bottom; py++) {
      const dy = py + 0.5 - t.y0;
      for (let px = left; px < right; px++) {
        const dx = px + 0.5 - t.x0;
        const inside = 0.5 - shape.distance(xx * dx + yx * dy, xy * dx + yy * dy) * t.scale;
        const beyond = -inside - lineReach;
        if (beyond >= 0) {
          // Nothing nearer than the distance is inside; some of it is kept back, an ellipse's is only near the truth.
          px += Math.floor(beyond * 0.7);
          continue;
        }
        const at = (py * this.size + px) * 3;
        if (inside < 1 && lineReach > 0) this.#blend(at, line, Math.min(inside + lineReach, 1));
        if (inside > 0) this.#blend(at, colour, Math.min(inside, 1) * opacity);
      }
    }
  }

  #blend(at: number, colour: Colour, share: number): void {
    const { rgb } = this;
    const rest = 1 - share;
    rgb[at] = rest * (rgb[at] ?? 0) + share * colour[0] + 0.5;
    rgb[at + 1] = rest * (rgb[at + 1] ?? 0) + share * colour[1] + 0.5;
    rgb[at + 2] = rest * (rgb[at + 2] ?? 0) + share * colour[2] + 0.5;
  }

  /** Draws with `placement` applied to all coordinates. */
  placed({ x = 0, y = 0, scale = 1, angle = 0, mirrored = false }: Placement, draw: () => void): void {
    const outer = this.#transform;
    const [cos, sin, side] = [Math.cos(angle) * scale, Math.sin(angle) * scale, mirrored ? -1 : 1];
    this.#transform = {
      xx: (outer.xx * cos + outer.xy * sin) * side,
      xy: outer.xy * cos - outer.xx * sin,
      yx: (outer.yx * cos + outer.yy * sin) * side,
      yy: outer.yy * cos - outer.yx * sin,
      x0: outer.xx * x + outer.xy * y + outer.x0,
      y0: outer.yx * x + outer.yy * y + outer.y0,
      scale: outer.scale * scale,
    };
    try {
      draw();
    } finally {
      this.#transform = outer;
    }
  }

  #pixelBounds(
    [left, top, right, bottom]: Shape['bounds'],
    margin: number,
  ): [number, number, number, number] {
    const { xx, xy, yx, yy, x0, y0 } = this.#transform;
    const [cx, cy, halfX, halfY] = [
      (left + right) / 2,
      (top + bottom) / 2,
      (right - left) / 2 + margin,
      (bottom - top) / 2 + margin,
    ];
    const [px, py] = [xx * cx + xy * cy + x0, yx * cx + yy * cy + y0];
    const reachX = Math.abs(xx) * halfX + Math.abs(xy) * halfY + 1;
    const reachY = Math.abs(yx) * halfX + Math.abs(yy) * halfY + 1;
    const inside = (value: number): number => Math.min(Math.max(value, 0), this.size);
    return [
      inside(Math.floor(px - reachX)),
      inside(Math.floor(py - reachY)),
      inside(Math.ceil(px + reachX)),
      inside(Math.ceil(py + reachY)),
    ];
  }
}

/** Between two colours: `a` at 0, `b` at 1. */
export function mix(a: Colour, b: Colour, share: number): Colour {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

/** Darker below 0, lighter above. */
export function shade(colour: Colour, amount: number): Colour {
  return amount < 0 ? mix(colour, [20, 14, 24], -amount) : mix(colour, [255, 255, 255], amount);
}
