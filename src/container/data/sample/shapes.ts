/**
 * A shape in the plane, as its signed distance: negative inside, in the units of its coordinates, y pointing down.
 * After Inigo Quilez, "2D distance functions". A distance need only be right near the edge, where it becomes coverage.
 */
export type Shape = {
  readonly distance: (x: number, y: number) => number;
  /** Left, top, right, bottom. */
  readonly bounds: readonly [number, number, number, number];
};

export type Point = readonly [number, number];

/** An ellipse; `angle` in radians, clockwise. */
export function ellipse(cx: number, cy: number, rx: number, ry: number, angle = 0): Shape {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [toX, toY] = [1 / rx, 1 / ry];
  const [reachX, reachY] = [Math.hypot(rx * cos, ry * sin), Math.hypot(rx * sin, ry * cos)];
  return {
    distance: (x, y) => {
      const u = ((x - cx) * cos + (y - cy) * sin) * toX;
      const w = ((y - cy) * cos - (x - cx) * sin) * toY;
      const length = Math.sqrt(u * u + w * w);
      if (length < 1e-6) return -Math.min(rx, ry);
      // To first order: the value over the length of its gradient.
      const slopeX = u * toX;
      const slopeY = w * toY;
      return (length * (length - 1)) / Math.sqrt(slopeX * slopeX + slopeY * slopeY);
    },
    bounds: [cx - reachX, cy - reachY, cx + reachX, cy + reachY],
  };
}

export function circle(cx: number, cy: number, radius: number): Shape {
  return ellipse(cx, cy, radius, radius);
}

/** A closed polygon. */
export function polygon(...points: readonly Point[]): Shape {
  const flat = flatten(points);
  const end = flat.length;
  return {
    distance: (x, y) => {
      let nearest = Infinity;
      let sign = 1;
      let ax = flat[end - 2] ?? 0;
      let ay = flat[end - 1] ?? 0;
      for (let i = 0; i < end; i += 2) {
        const bx = flat[i] ?? 0;
        const by = flat[i + 1] ?? 0;
        nearest = Math.min(nearest, segmentSquared(x, y, ax, ay, bx, by));
        if (ay > y !== by > y && x < ((ax - bx) * (y - by)) / (ay - by) + bx) sign = -sign;
        ax = bx;
        ay = by;
      }
      return sign * Math.sqrt(nearest);
    },
    bounds: boundsOf(points, 0),
  };
}

/** A line through `points`, with round ends. */
export function stroke(width: number, ...points: readonly Point[]): Shape {
  const half = width / 2;
  const flat = flatten(points);
  const end = flat.length;
  return {
    distance: (x, y) => {
      let nearest = Infinity;
      for (let i = 2; i < end; i += 2) {
        const toSegment = segmentSquared(
          x,
          y,
          flat[i - 2] ?? 0,
          flat[i - 1] ?? 0,
          flat[i] ?? 0,
          flat[i + 1] ?? 0,
        );
        nearest = Math.min(nearest, toSegment);
      }
      return Math.sqrt(nearest) - half;
    },
    bounds: boundsOf(points, half),
  };
}

/** A curved line from `start` to `end`, drawn towards `control` (a quadratic Bézier curve). */
export function curve(width: number, start: Point, control: Point, end: Point): Shape {
  const pieces = 6;
  const points = Array.from({ length: pieces + 1 }, (_, i): Point => {
    const t = i / pieces;
    const at = (axis: 0 | 1): number =>
      (1 - t) ** 2 * start[axis] + 2 * t * (1 - t) * control[axis] + t ** 2 * end[axis];
    return [at(0), at(1)];
  });
  return stroke(width, ...points);
}

/** A rectangle, its corners rounded by `radius`. */
export function box(left: number, top: number, right: number, bottom: number, radius = 0): Shape {
  const [cx, cy] = [(left + right) / 2, (top + bottom) / 2];
  const [halfX, halfY] = [(right - left) / 2 - radius, (bottom - top) / 2 - radius];
  return {
    distance: (x, y) => {
      const dx = Math.abs(x - cx) - halfX;
      const dy = Math.abs(y - cy) - halfY;
      const outX = Math.max(dx, 0);
      const outY = Math.max(dy, 0);
      return Math.sqrt(outX * outX + outY * outY) + Math.min(Math.max(dx, dy), 0) - radius;
    },
    bounds: [left, top, right, bottom],
  };
}

/** The shape with `by` more all round, its corners rounded. */
export function grow(shape: Shape, by: number): Shape {
  const [left, top, right, bottom] = shape.bounds;
  return {
    distance: (x, y) => shape.distance(x, y) - by,
    bounds: [left - by, top - by, right + by, bottom + by],
  };
}

/** What lies in any of the shapes. */
export function union(...shapes: readonly Shape[]): Shape {
  return {
    distance: (x, y) => {
      let nearest = Infinity;
      for (const shape of shapes) nearest = Math.min(nearest, shape.distance(x, y));
      return nearest;
    },
    bounds: [
      Math.min(...shapes.map(({ bounds }) => bounds[0])),
      Math.min(...shapes.map(({ bounds }) => bounds[1])),
      Math.max(...shapes.map(({ bounds }) => bounds[2])),
      Math.max(...shapes.map(({ bounds }) => bounds[3])),
    ],
  };
}

/** What lies in both shapes. */
export function within(shape: Shape, clip: Shape): Shape {
  const [a, b] = [shape.bounds, clip.bounds];
  return {
    distance: (x, y) => {
      const own = shape.distance(x, y);
      // Far outside, the clip makes no difference: it is most often the costlier one.
      return own > 2 ? own : Math.max(own, clip.distance(x, y));
    },
    bounds: [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])],
  };
}

/** The coordinates one after the other: the distances are what drawing spends its time on. */
function flatten(points: readonly Point[]): Float64Array {
  const flat = new Float64Array(points.length * 2);
  points.forEach(([x, y], i) => {
    flat[i * 2] = x;
    flat[i * 2 + 1] = y;
  });
  return flat;
}

function segmentSquared(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const dx = bx - ax;
  const dy = by - ay;
  const along = Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1), 0), 1);
  const toX = x - ax - along * dx;
  const toY = y - ay - along * dy;
  return toX * toX + toY * toY;
}

function boundsOf(points: readonly Point[], margin: number): Shape['bounds'] {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return [
    Math.min(...xs) - margin,
    Math.min(...ys) - margin,
    Math.max(...xs) + margin,
    Math.max(...ys) + margin,
  ];
}
