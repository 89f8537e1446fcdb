const SVG = 'http://www.w3.org/2000/svg';

/** 16 by 16 drawings, one path each, filled with the current colour. */
const PATHS = {
  play: 'M4 2.6v10.8c0 .5.5.8.9.5l8.2-5.4a.6.6 0 0 0 0-1L4.9 2.1A.6.6 0 0 0 4 2.6Z',
  rerun:
    'M8 2.5a5.5 5.5 0 1 0 5.45 6.25h-1.52A4 4 0 1 1 8 4c1.06 0 2.03.420 2.74 1.1L9 6.85h4.5v-4.5l-1.7 1.7A5.48 5.48 0 0 0 8 2.5Z',
  stop: 'M4 3h8a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1Z',
  folder:
    'M1.5 3.5a1 1 0 0 1 1-1h3.3l1.5 1.6h6.2a1 1 0 0 1 1 1v7.4a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1v-9Zm1.3.300v8.4h10.4V5.4H6.7L5.2 3.8H2.8Z',
  table:
    'M2 2.5h12a.5.5 0 0 1 .5.5v10a.5.5 0 0 1-.5.5H2a.5.5 0 0 1-.5-.5V3a.5.5 0 0 1 .5-.5Zm.8 3.7v2h4.5v-2H2.8Zm5.9 0v2h4.5v-2H8.7Zm-5.9 3.3v2.7h4.5V9.5H2.8Zm5.9 0v2.7h4.5V9.5H8.7Z',
  chart:
    'M1.5 2h1.3v10.7h11.7V14h-13V2Zm3 8.2 2.9-3.9 2.5 2.2 3.3-4.7 1 .75-4.1 5.8-2.5-2.2-2.05 2.8-1.05-.75Z',
  copy: 'M5 1.5h7.5a1 1 0 0 1 1 1V11h-1.3V2.8H5V1.5ZM3.5 4H10a1 1 0 0 1 1 1v8.5a1 1 0 0 1-1 1H3.5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1Zm.3 1.3v7.9h5.9V5.3H3.8Z',
  file: 'M3.5 1.5h6l3.5 3.5v8.5a1 1 0 0 1-1 1H3.5a1 1 0 0 1-1-1v-11a1 1 0 0 1 1-1Zm.3 1.3v10.4h7.9V6H8.5V2.8H3.8Zm6 .4v1.5h1.5L9.8 3.2Z',
  down: 'M7.35 2.5h1.3v8.2l3.1-3.1.900.9L8 13.15 3.35 8.5l.9-.9 3.1 3.1V2.5Z',
  flame:
    'M8.6 1c.4 2.3 3.9 4 3.9 7.9A4.5 4.5 0 0 1 8 13.5a4.5 4.5 0 0 1-4.5-4.6c0-1.7.8-3 1.7-3.9.1 1 .5 1.6 1.1 1.9C6.2 4.8 6.9 2.6 8.6 1ZM8 12.2c1.2 0 2.1-.9 2.1-2 0-1-.7-1.6-1.4-2.6-.5 1.2-2.8 1.4-2.8 2.7 0 1.1.9 1.9 2.1 1.9Z',
  snow: 'M7.4 1.5h1.2v2l1.3-.8.6 1-1.9 1.2v2.1l1.8-1 .1-2.2 1.2.05-.05 1.5 1.7-1 .6 1-1.7 1 1.3.7-.6 1-1.9-1.05L9.2 8l1.8 1 1.95-1.05.6 1-1.3.75 1.7 1-.6 1-1.7-1 .05 1.5-1.2.05-.1-2.25-1.8-1v2.1l1.9 1.2-.6 1-1.3-.8v2H7.4v-2l-1.3.8-.6-1 1.9-1.2V9l-1.8 1-.1 2.25-1.2-.05.05-1.5-1.7 1-.6-1 1.7-1-1.3-.75.6-1L5 9l1.8-1L5 7 3.05 8.05l-.6-1 1.3-.75-1.7-1 .6-1 1.7 1-.05-1.5 1.2-.05.1 2.25 1.8 1V4.9L5.5 3.7l.6-1 1.3.8v-2Z',
  close:
    'm8 7.15 3.5-3.5.850.85L8.85 8l3.5 3.5-.85.850L8 8.85l-3.5 3.5-.85-.85L7.15 8l-3.5-3.5.850-.85L8 7.15Z',
} as const;
export type IconName = keyof typeof PATHS;

/** An icon beside a text that says the same; hidden from screen readers. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('width', '16');
  svg.setAttribute('height', '16');
  svg.setAttribute('fill', 'currentColor');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('icon');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  path.setAttribute('fill-rule', 'evenodd');
  svg.append(path);
  return svg;
}
