import { heldMemoryText } from '../../src/protocol/heldMemory';
import { button } from '../shared/components';
import { el, setText } from '../shared/dom';
import type { PanelModel, Send } from './model';

/** What speaks for a fresh container: memory that runs left behind, an enter hook whose source has changed. */
export class RestartNotice {
  readonly element = el('div', { class: 'banner notice', attributes: { role: 'status' } });
  private readonly message = el('p', { class: 'message' });

  constructor(send: Send) {
    const restart = button({
      label: 'Restart Container',
      icon: 'rerun',
      appearance: 'secondary',
      onClick: () => send({ type: 'restart' }),
    });
    this.element.append(this.message, el('div', { class: 'buttons' }, restart.element));
    this.element.hidden = true;
  }

  render({ container }: PanelModel): void {
    const { heldMemory, restartNeeded } = container;
    const texts = [
      ...(restartNeeded === null ? [] : [restartNeeded]),
      ...(heldMemory === null ? [] : [`${heldMemoryText(heldMemory)}.`]),
    ];
    this.element.hidden = texts.length === 0 || container.state === 'training';
    setText(this.message, texts.join(' '));
  }
}
