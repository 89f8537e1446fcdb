import type { Location } from '../../src/protocol/run';
import { button } from '../shared/components';
import { el, setText } from '../shared/dom';
import { actions, remedy } from './headline';
import { locationLink } from './locationLink';
import type { PanelModel, Send } from './model';

/** Why the run failed and what to do about it, or why the container cannot be reached. */
export class ProblemBanner {
  readonly element = el('div', { class: 'banner', attributes: { role: 'alert' } });
  private readonly title = el('h2');
  private readonly message = el('p', { class: 'message' });
  private readonly place = el('p', { class: 'message' });
  private shownPlace: Location | undefined;
  private readonly advice = el('p', { class: 'advice' });
  private readonly buttons = el('div', { class: 'buttons' });
  private readonly rerun: ReturnType<typeof button>;

  constructor(private readonly send: Send) {
    this.rerun = button({
      label: 'Rerun',
      icon: 'rerun',
      appearance: 'primary',
      onClick: () => send({ type: 'rerun' }),
    });
    const log = button({
      label: 'Open training.log',
      icon: 'file',
      appearance: 'secondary',
      onClick: () => send({ type: 'openLog' }),
    });
    this.buttons.append(this.rerun.element, log.element);
    this.element.append(this.title, this.message, this.place, this.advice, this.buttons);
    this.element.hidden = true;
  }

  render(model: PanelModel): void {
    const { run, container } = model;
    const failed = run?.state === 'failed';
    const error = failed ? run.result?.error : undefined;
    const message = failed ? (error?.message ?? 'The run failed.') : container.problem;
    this.element.hidden = message === null;
    if (message === null) {
      return;
    }
    setText(this.title, failed ? 'The run failed' : 'The container cannot be reached');
    setText(this.message, message);
    this.renderPlace(error?.location);
    setText(this.advice, failed ? remedy(error?.code ?? '') : 'Training starts a new one.');
    this.buttons.hidden = !failed;
    this.rerun.setDisabled(!actions(run, container, model.mayTrain, false).rerun);
  }

  /** Where in the user's code. */
  private renderPlace(location: Location | undefined): void {
    if (location?.file !== this.shownPlace?.file || location?.line !== this.shownPlace?.line) {
      this.shownPlace = location;
      this.place.replaceChildren(...(location === undefined ? [] : [locationLink(location, this.send)]));
    }
    this.place.hidden = location === undefined;
  }
}
