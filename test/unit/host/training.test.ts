import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TrainingDeps } from '../../../src/host/commands/training';
import { Training } from '../../../src/host/commands/training';
import { CodeModel } from '../../../src/host/code/codeModel';
import { Environment } from '../../../src/host/environment';
import { HistoryModel } from '../../../src/host/history/historyModel';
import { Notifier } from '../../../src/host/notifier';
import { RecipeStores } from '../../../src/host/recipeStores';
import type { ParameterProblem } from '../../../src/protocol/parameters';
import { CLASSIFIER } from '../../../src/protocol/recipes';
import { ErrorCode } from '../../../src/protocol/rpc';
import { Testbed } from './support/testbed';

interface Shown {
  kind: string;
  text: string;
  actions: string[];
}

/** The parts of VS Code that a training talks to; messages are answered with `answer`. */
class Desk {
  readonly shown: Shown[] = [];
  readonly executed: unknown[][] = [];
  readonly settings: Record<string, unknown> = {};
  isTrusted = true;
  answer: string | undefined;
  private readonly event = () => ({ dispose: () => undefined });

  constructor(private readonly folder: string) {}

  get vs() {
    const message =
      (kind: string) =>
      (text: string, ...rest: unknown[]) => {
        const actions = rest.filter((action) => typeof action === 'string');
        this.shown.push({ kind, text, actions });
        return Promise.resolve(actions.find((action) => action === this.answer));
      };
    return {
      commands: {
        executeCommand: (...args: unknown[]) => {
          this.executed.push(args);
          return Promise.resolve();
        },
      },
      window: {
        showErrorMessage: message('error'),
        showWarningMessage: message('warning'),
        showInformationMessage: message('information'),
        showQuickPick: (items: { label: string }[]) => {
          this.shown.push({ kind: 'pick', text: '', actions: items.map(({ label }) => label) });
          return Promise.resolve(items.find(({ label }) => label === this.answer));
        },
        setStatusBarMessage: (text: string) => this.shown.push({ kind: 'status', text, actions: [] }),
      },
      workspace: {
        isTrusted: this.isTrusted,
        workspaceFolders: [{ uri: { scheme: 'file', fsPath: this.folder } }],
        getConfiguration: () => ({ get: (name: string) => this.settings[name] }),
        onDidChangeConfiguration: this.event,
        onDidChangeWorkspaceFolders: this.event,
        onDidGrantWorkspaceTrust: this.event,
      },
    };
  }
}

describe('training by command', () => {
  let bed: Testbed;
  let desk: Desk;
  let training: Training;
  let notifier: Notifier;
  let refused: readonly ParameterProblem[];
  let asked: number;
  const panel = { isVisible: false };

  const open = (): void => {
    const log = { error: () => undefined, show: () => undefined };
    const history = new HistoryModel(() => Promise.resolve([{ target: 'local', volume: bed.fake.volume }]));
    bed.container.on('run', (record) => void history.apply(record));
    const values = new Map<string, unknown>();
    const memento = {
      get: (key: string) => values.get(key),
      update: (key: string, value: unknown) => Promise.resolve(void values.set(key, value)),
    };
    const { vs } = desk;
    const environment = new Environment(vs as never, CLASSIFIER);
    const code = new CodeModel({
      bundleDir: '',
      workspace: () => ({ folder: bed.dir, settings: environment.requireSettings() }),
      interpreter: () => '/usr/bin/python3',
      describe: ({ entrypoint }) =>
        Promise.resolve({
          name: 'train',
          title: entrypoint,
          description: '',
          parameters: [{ name: 'epochs', type: 'integer', default: 3, description: '' }],
        }),
    });
    const deps = {
      vs,
      log,
      environment,
      code,
      container: bed.container,
      history,
      panel: {
        ...panel,
        show: () => undefined,
        model: { refuse: (problems: ParameterProblem[]) => (refused = problems) },
      },
      recipes: new RecipeStores([CLASSIFIER], memento, () => ({}), code),
      askDataFolder: () => {
        asked += 1;
        return Promise.resolve('my cats');
      },
    };
    training = new Training(deps as unknown as TrainingDeps);
    notifier = new Notifier({
      vs,
      log,
      container: bed.container,
      panel,
      startedHere: training.startedHere,
    } as never);
  };
  const trained = () =>
    bed.fake.requests.filter(({ method }) => method === 'train').map(({ params }) => params);

  beforeEach(() => {
    bed = new Testbed();
    desk = new Desk(bed.dir);
    refused = [];
    asked = 0;
    panel.isVisible = false;
    open();
  });
  afterEach(async () => {
    notifier.dispose();
    await bed.close();
  });

  it('trains the code that the settings name, in a program of its own, and again what a run trained', async () => {
    desk.settings.entrypoint = 'src/train.py:train';
    desk.settings.metricPatterns = ['loss=(?<train_loss>.*)'];
    desk.answer = 'src/train.py:train';
    await training.train();
    assert.deepEqual(desk.shown.find(({ kind }) => kind === 'pick')?.actions, [
      'src/train.py:train',
      'Image classifier',
    ]);
    const program = {
      kind: 'python',
      interpreter: '/usr/bin/python3',
      folder: bed.dir,
      entrypoint: 'src/train.py:train',
      metricPatterns: ['loss=(?<train_loss>.*)'],
    };
    const [order] = trained();
    assert.deepEqual(
      [order].map((sent) => ({ ...(sent as object), waitedMs: 0, phases: [], sent: {} })),
      [
        {
          recipe: 'train',
          params: { epochs: 3 },
          program,
          whenBusy: 'refuse',
          waitedMs: 0,
          phases: [],
          sent: {},
        },
      ],
    );
    assert.equal(asked, 0);
  });

  it('asks once what to train on, and names the folder absolutely to the container', async () => {
    await training.train();
    await bed.fake.complete(0.9);
    await bed.container.idle();
    await training.train();
    assert.equal(asked, 1);
    const [first] = trained() as { params: Record<string, unknown> }[];
    assert.equal(first?.params.data_dir, join(bed.dir, 'my cats'));
  });

  it('starts nothing in Restricted Mode and says why', async () => {
    desk.isTrusted = false;
    open();
    for (const work of [
      training.train(),
      training.rerun(undefined),
      training.warmUp(),
      training.stop(false),
    ]) {
      await work;
    }
    assert.equal(bed.opened, 0);
    assert.ok(desk.shown.every(({ text }) => text.includes('Restricted Mode')));
    assert.equal(desk.shown.length, 4);
  });

  it('names a setting that cannot be used before it asks anything', async () => {
    desk.settings.port = -1;
    await assert.rejects(training.train(), /tinyCats\.port/);
    assert.equal(asked, 0);
  });

  it('says in the form which parameter is wrong, or in a message if there is none', async () => {
    panel.isVisible = true;
    open();
    await training.trainWith('classifier', { batch_size: 0 });
    assert.deepEqual(
      refused.map(({ name }) => name),
      ['batch_size'],
    );
    panel.isVisible = false;
    open();
    await training.trainWith('classifier', { batch_size: 0 });
    assert.match(desk.shown.at(-1)?.text ?? '', /batch_size/);
    assert.equal(trained().length, 0);
  });

  it('offers to stop the run of a busy container and to train then', async () => {
    await training.trainWith('classifier', {});
    bed.fake.refusals.set('train', { code: ErrorCode.busy, message: 'busy' });
    await bed.until(() => bed.container.runningRunId !== undefined);
    desk.answer = 'Stop It and Train';
    const stopped = bed.fake.received('stop');
    await training.trainWith('classifier', {});
    assert.deepEqual(desk.shown.at(-1)?.actions, ['Show Run', 'Queue', 'Stop It and Train']);
    await stopped;
    const next = bed.fake.received('train');
    await bed.fake.complete(0.5);
    await next;
  });

  it('tells the end of a run that the user started, if the panel is hidden', async () => {
    await training.trainWith('classifier', {});
    await bed.fake.complete(0.912);
    await bed.container.idle();
    assert.deepEqual(
      desk.shown.map(({ kind, text }) => [kind, text]),
      [['information', 'The training is done with val_acc 91.2%.']],
    );
  });

  it('tells nothing of the end while the panel is in sight', async () => {
    panel.isVisible = true;
    await training.trainWith('classifier', {});
    await bed.fake.complete(0.9);
    await bed.container.idle();
    assert.deepEqual(desk.shown, []);
  });

  it('says once that the container died, and offers to run again', async () => {
    await training.trainWith('classifier', {});
    const died = new Promise((resolve) => bed.container.once('died', resolve));
    bed.fake.die();
    await died;
    const errors = desk.shown.filter(({ kind }) => kind === 'error');
    assert.deepEqual(
      errors.map(({ actions }) => actions),
      [['Rerun', 'Show Log']],
    );
  });

  it('reruns with the parameters of the newest run, and says that it starts a container', async () => {
    await training.trainWith('classifier', { epochs: 7 });
    await bed.fake.complete(0.9);
    await bed.container.cool();
    await bed.until(() => bed.container.view.state === 'cold');
    await training.rerun(undefined);
    const [first, second] = trained() as { params: unknown }[];
    assert.deepEqual(second?.params, first?.params);
    assert.ok(desk.shown.some(({ kind, text }) => kind === 'status' && text.includes('starts one')));
  });
});
