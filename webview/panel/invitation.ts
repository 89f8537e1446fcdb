import { SAMPLE_DATA_SET, findRecipe } from '../../src/protocol/recipes';
import type { ButtonControl } from '../shared/components';
import { button } from '../shared/components';
import { el, setText } from '../shared/dom';
import { sleepingCat } from './cat';
import { MAY_NOT_TRAIN, actions } from './headline';
import type { PanelModel, Send } from './model';

const DATA_PARAMETER = 'data_dir';

/** Shown while there is no run: what this is and the two ways to begin. */
export class Invitation {
  readonly element: HTMLElement;
  private readonly train: ButtonControl;
  private readonly why = el('p', { class: 'quiet' });
  private readonly choose: ButtonControl;

  constructor(send: Send, train: () => void) {
    this.train = button({ label: '', icon: 'play', appearance: 'primary', onClick: train });
    this.choose = button({
      label: 'Choose a Folder…',
      icon: 'folder',
      appearance: 'secondary',
      onClick: () => send({ type: 'chooseFolder', name: DATA_PARAMETER }),
    });
    this.element = el(
      'section',
      { class: 'invitation', attributes: { 'aria-label': 'Begin' } },
      sleepingCat(),
      el('h2', { text: 'Train your first tiny cats' }),
      el('p', {
        text: 'The first run warms a container. It stays warm, so every run after that begins at once.',
      }),
      el('div', { class: 'buttons' }, this.train.element, this.choose.element),
      this.why,
    );
  }

  /** @param recipe what is trained next @param dataDir what the parameter form names as the data folder */
  render(model: PanelModel, recipe: string, dataDir: string): void {
    const isOwnCode = recipe !== '' && findRecipe(recipe) === undefined;
    this.element.hidden = model.run !== null || model.sweep !== null;
    const can = actions(model.run, model.container, model.mayTrain, false);
    this.train.setLabel(isOwnCode ? 'Train' : `Train on ${folderName(dataDir)}`);
    this.choose.element.hidden = isOwnCode;
    this.train.setDisabled(!can.train);
    this.choose.setDisabled(!model.mayTrain);
    setText(this.why, hintOf(model, can.train, isOwnCode ? recipe : undefined));
    this.why.hidden = this.why.textContent === '';
  }
}

function hintOf(model: PanelModel, canTrain: boolean, ownCode: string | undefined): string {
  if (!model.mayTrain) {
    return MAY_NOT_TRAIN;
  }
  if (!canTrain) {
    return 'Another run is training.';
  }
  return ownCode === undefined
    ? 'A folder needs one sub-folder of images for each class.'
    : `Runs ${ownCode}. Edit it, and press Rerun.`;
}

function folderName(path: string): string {
  if (path === SAMPLE_DATA_SET) {
    return 'the Sample Cats';
  }
  const name = path.split(/[\\/]/).findLast((part) => part !== '');
  return name === undefined ? 'This Folder' : `“${name}”`;
}
