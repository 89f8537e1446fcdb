import type { FormDraft, HostToPanel, PanelState } from '../../src/protocol/panel';
import { isFinal } from '../../src/protocol/run';
import type { RunView } from '../../src/protocol/runView';
import { applyEvent } from '../../src/protocol/runView';
import { el, setText } from '../shared/dom';
import { Charts } from './charts';
import { Comparison } from './comparison';
import { CodeCard } from './codeCard';
import { DeviceCharts } from './deviceCharts';
import { CheckpointsCard, DatasetCard, RunParametersCard } from './details';
import { ParameterForm } from './form';
import { Facts, Header } from './header';
import { stateBadge } from './headline';
import { Invitation } from './invitation';
import { Log } from './log';
import type { PanelModel, Send } from './model';
import { RestartNotice } from './notices';
import { ProblemBanner } from './problems';
import { Samples } from './samples';
import { Startup } from './startup';

/** Curves are drawn at most this often, however many events come. */
const CHART_PERIOD_MS = 100;
const CLOCK_PERIOD_MS = 1000;

/** The page: keeps the model up to date with the host's messages and draws what has changed once a frame. */
export class Panel {
  private readonly header: Header;
  private readonly facts = new Facts();
  private readonly banner: ProblemBanner;
  private readonly notice: RestartNotice;
  private readonly invitation: Invitation;
  private readonly comparison: Comparison;
  private readonly charts = new Charts();
  private readonly device = new DeviceCharts();
  private readonly code = new CodeCard();
  private readonly samples: Samples;
  private readonly startup = new Startup();
  private readonly log: Log;
  private readonly form: ParameterForm;
  private readonly dataset = new DatasetCard();
  private readonly checkpoints: CheckpointsCard;
  private readonly runParameters = new RunParametersCard();
  private readonly spoken = el('div', {
    class: 'visually-hidden',
    attributes: { role: 'status', 'aria-live': 'polite' },
  });
  private readonly layout: HTMLElement;
  private model: PanelModel | null = null;
  private frame = 0;
  private chartsDrawnAt = 0;
  private awaitingSnapshot = false;
  private spokenState = '';

  constructor(
    root: HTMLElement,
    private readonly send: Send,
    private readonly keep: (state: PanelState) => void,
    draft: FormDraft | undefined,
  ) {
    const train = () => this.train();
    this.header = new Header(send, train, () => this.sweep());
    this.banner = new ProblemBanner(send);
    this.notice = new RestartNotice(send);
    this.invitation = new Invitation(send, train);
    this.comparison = new Comparison(send);
    this.samples = new Samples(send);
    this.log = new Log(send);
    this.form = new ParameterForm(send, train, () => this.filled(), draft);
    this.checkpoints = new CheckpointsCard(send);
    this.layout = el(
      'main',
      { class: 'layout' },
      el(
        'div',
        { class: 'wide' },
        this.facts.element,
        this.banner.element,
        this.notice.element,
        this.invitation.element,
        this.comparison.element,
      ),
      el('div', { class: 'startup-cell' }, this.startup.element),
      el(
        'div',
        { class: 'main-cell' },
        this.samples.element,
        this.charts.element,
        this.device.element,
        this.log.element,
      ),
      el(
        'div',
        { class: 'side-cell' },
        this.checkpoints.element,
        this.dataset.element,
        this.form.element,
        this.runParameters.element,
        this.code.element,
      ),
    );
    root.replaceChildren(this.header.element, this.layout, this.spoken);
    root.hidden = true;
    setInterval(() => this.tick(), CLOCK_PERIOD_MS);
  }

  /** Takes a message of the host. */
  receive(message: HostToPanel): void {
    switch (message.type) {
      case 'snapshot':
        this.awaitingSnapshot = false;
        if (this.model !== null && this.model.run?.runId !== message.run?.runId) {
          // What is new about a run stands at the top: its state, and why it failed.
          window.scrollTo(0, 0);
        }
        this.model = message;
        this.form.render(message.recipes, message.recipe);
        this.keepState();
        this.chartsDrawnAt = 0;
        break;
      case 'events':
        this.apply(message.events);
        break;
      case 'container':
        if (this.model !== null) {
          this.model.container = message.container;
        }
        break;
      case 'sweep':
        if (this.model !== null) {
          this.model.sweep = message.sweep;
        }
        break;
      case 'parameter':
        this.form.set(message.name, message.value);
        break;
      case 'sample':
        this.samples.receive(message.runId, message.file, message.dataUrl);
        break;
      case 'problems':
        this.form.showProblems(message.problems);
        break;
    }
    this.draw();
  }

  private filled(): void {
    this.keepState();
    this.draw();
  }

  private keepState(): void {
    if (this.model !== null) {
      // Not the run that is shown: after a reload from an older state, who followed the newest run still does.
      this.keep({ runId: this.model.chosen, draft: this.form.draft });
    }
  }

  private apply(events: Extract<HostToPanel, { type: 'events' }>['events']): void {
    if (this.awaitingSnapshot) {
      return;
    }
    const run = this.model?.run ?? null;
    try {
      for (const event of events) {
        if (event.runId !== run?.runId) {
          throw new Error(`an event of run ${event.runId}, which is not shown`);
        }
        applyEvent(run, event);
      }
    } catch {
      // Whatever is wrong with the increments, a snapshot puts it right.
      this.awaitingSnapshot = true;
      this.send({ type: 'resync' });
    }
  }

  private train(): void {
    const given = this.form.read();
    if (given !== null) {
      this.send({ type: 'train', ...given });
    }
  }

  private sweep(): void {
    const given = this.form.read();
    if (given !== null) {
      this.send({ type: 'sweep', ...given });
    }
  }

  /** Draws with the next frame. */
  private draw(): void {
    if (this.frame === 0) {
      this.frame = requestAnimationFrame((now) => {
        this.frame = 0;
        this.drawNow(now);
      });
    }
  }

  private drawNow(now: number): void {
    const { model } = this;
    if (model === null) {
      return;
    }
    this.header.element.parentElement?.removeAttribute('hidden');
    this.layout.classList.toggle('empty', model.run === null);
    this.header.render(model);
    this.facts.render(model);
    this.banner.render(model);
    this.notice.render(model);
    this.invitation.render(model, this.form.chosen, this.form.text('data_dir'));
    this.comparison.render(model);
    this.startup.render(model);
    this.samples.render(model);
    this.dataset.render(model);
    this.checkpoints.render(model);
    this.runParameters.render(model);
    this.code.render(model);
    this.charts.element.hidden = model.run === null;
    this.device.element.hidden ||= model.run === null;
    this.log.element.hidden = model.run === null;
    if (model.run !== null) {
      this.log.render(model.run);
      this.drawCharts(model.run, now);
      this.speak(model.run);
    }
  }

  private drawCharts(run: RunView, now: number): void {
    if (this.chartsDrawnAt !== 0 && now - this.chartsDrawnAt < CHART_PERIOD_MS) {
      this.draw();
      return;
    }
    this.chartsDrawnAt = now;
    this.charts.render(run);
    this.device.render(run);
  }

  /** Says a change of the run's state to screen readers. */
  private speak(run: RunView): void {
    const state = `${run.runId} ${run.state}`;
    if (state !== this.spokenState) {
      this.spokenState = state;
      setText(this.spoken, `Run ${stateBadge(run.state).label.toLowerCase()}`);
    }
  }

  private tick(): void {
    const run = this.model?.run ?? null;
    if (run !== null && !isFinal(run.state) && document.visibilityState === 'visible') {
      this.header.renderTime(run);
    }
  }
}
