import type { Location } from '../../src/protocol/run';
import { textButton } from '../shared/dom';
import type { Send } from './model';

/** "train.py:12": a click opens the file at that line. */
export function locationLink(location: Location, send: Send): HTMLElement {
  const name = location.file.split(/[/\\]/).at(-1) ?? location.file;
  const link = textButton(
    `${name}:${location.line}`,
    () => send({ type: 'openLocation', location }),
    `Open ${location.file} at line ${location.line}`,
  );
  link.classList.add('location');
  return link;
}
