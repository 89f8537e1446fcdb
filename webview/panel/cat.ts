const SVG = 'http://www.w3.org/2000/svg';

type Shape = [tag: 'path' | 'ellipse' | 'circle', className: string, attributes: Record<string, string>];

/** A tiny cat, asleep on something warm. Colours come from the style sheet. */
const SHAPES: readonly Shape[] = [
  ['ellipse', 'glow', { cx: '80', cy: '88', rx: '66', ry: '22' }],
  ['path', 'fur', { d: 'M24 84c0-22 20-40 50-40 34 0 62 14 62 36 0 12-10 16-26 16H44c-13 0-20-4-20-12Z' }],
  ['path', 'tail', { d: 'M128 86c10 3 13 10 4 12-22 5-52 3-72 1' }],
  [
    'path',
    'fur',
    {
      d: 'M22 74c0-6 1-11 3-15l-1-17c0-2 2-3 4-2l12 8a34 34 0 0 1 16 0l12-8c2-1 4 0 4 2l-1 17c2 4 3 9 3 15 0 13-11 21-26 21S22 87 22 74Z',
    },
  ],
  ['path', 'line', { d: 'M32 73c3 3 7 3 10 0M54 73c3 3 7 3 10 0' }],
  ['path', 'line', { d: 'M44 82c2 2 3 2 4 0 1 2 2 2 4 0' }],
  ['path', 'nose', { d: 'M46 78h4l-2 2.5Z' }],
  ['path', 'line thin', { d: 'M28 80l-12-2M28 84l-11 2M68 80l12-2M68 84l11 2' }],
  ['path', 'line thin', { d: 'M92 52c2 4 2 8 1 12M104 55c2 4 2 8 1 11M116 60c1 3 1 6 0 9' }],
];

/** The drawing for an empty page; hidden from screen readers. */
export function sleepingCat(): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 160 116');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('cat');
  for (const [tag, className, attributes] of SHAPES) {
    const shape = document.createElementNS(SVG, tag);
    shape.setAttribute('class', className);
    for (const [name, value] of Object.entries(attributes)) {
      shape.setAttribute(name, value);
    }
    svg.append(shape);
  }
  return svg;
}
