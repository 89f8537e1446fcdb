import type { Sample } from '../../src/protocol/run';
import { el, setText } from '../shared/dom';
import { formatCount } from '../shared/format';
import type { PanelModel, Send } from './model';
import { section } from './section';
import { classRows, describeSample, shownIndex } from './sampleModel';

/** Pictures that are kept, so that going back and forth asks for none twice. */
const MOST_KEPT = 16;

/** Grids of generated images: the newest large, earlier ones by a slider. */
export class Samples {
  readonly element: HTMLElement;
  private readonly note: HTMLElement;
  private readonly image = el('img', { class: 'sample-image' });
  private readonly caption = el('figcaption', { class: 'quiet' });
  private readonly slider = el('input', {
    class: 'sample-slider',
    attributes: { type: 'range', min: '0', step: '1', 'aria-label': 'Step of the samples' },
  });
  private readonly pictures = new Map<string, string | null>();
  private readonly asked = new Set<string>();
  private runId = '';
  private samples: readonly Sample[] = [];
  /** Null: whichever is the newest. */
  private chosen: string | null = null;

  constructor(private readonly send: Send) {
    const { element, body, note } = section('samples', 'Samples');
    this.element = element;
    this.note = note;
    body.append(el('figure', { class: 'sample' }, this.image, this.caption), this.slider);
    this.slider.addEventListener('input', () => {
      const index = Number(this.slider.value);
      this.chosen = index === this.samples.length - 1 ? null : (this.samples[index]?.file ?? null);
      this.show();
    });
  }

  render({ run }: PanelModel): void {
    this.element.hidden = run === null || run.samples.length === 0;
    if (run === null) {
      return;
    }
    if (run.runId !== this.runId) {
      this.runId = run.runId;
      this.chosen = null;
      this.samples = [];
      this.pictures.clear();
      this.asked.clear();
      this.image.removeAttribute('src');
    }
    if (run.samples !== this.samples) {
      this.samples = run.samples;
      this.slider.max = String(Math.max(0, run.samples.length - 1));
      this.slider.hidden = run.samples.length < 2;
      this.show();
    }
  }

  /** Takes a picture that the host has sent. */
  receive(runId: string, file: string, dataUrl: string | null): void {
    if (runId !== this.runId) {
      return;
    }
    this.asked.delete(file);
    this.pictures.set(file, dataUrl);
    for (const oldest of [...this.pictures.keys()].slice(0, -MOST_KEPT)) {
      this.pictures.delete(oldest);
    }
    this.show();
  }

  private show(): void {
    const index = shownIndex(this.samples, this.chosen);
    const sample = this.samples[index];
    if (sample === undefined) {
      return;
    }
    const newest = index === this.samples.length - 1;
    this.slider.value = String(index);
    this.slider.setAttribute(
      'aria-valuetext',
      `Step ${formatCount(sample.step)}${newest ? ', the newest' : ''}`,
    );
    setText(this.note, `step ${formatCount(sample.step)}`);
    const picture = this.pictures.get(sample.file);
    setText(this.caption, picture === null ? 'This picture is no longer there.' : classRows(sample));
    this.image.alt = describeSample(sample);
    if (picture === undefined) {
      // The one before stays until the new one is here.
      this.ask(sample.file);
    } else if (picture === null) {
      this.image.removeAttribute('src');
    } else if (this.image.src !== picture) {
      this.image.src = picture;
    }
  }

  private ask(file: string): void {
    if (!this.asked.has(file)) {
      this.asked.add(file);
      this.send({ type: 'wantSample', runId: this.runId, file });
    }
  }
}
