import type { PythonFigures } from './python';
import type { SshFigures } from './ssh';
import type { StartupFigures } from './startup';
import type { TrainingFigures } from './training';

export interface Report {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  /** YYYY-MM-DD */
  readonly date: string;
  /** PyTorch and its libraries; null where it is not installed or was left out. */
  readonly torch: string | null;
  readonly rounds: number;
  readonly startup?: StartupFigures;
  readonly python?: PythonFigures;
  readonly ssh?: SshFigures;
  readonly training: readonly TrainingFigures[];
}

const figure = (value: number | null, digits: number): string =>
  value === null ? '-' : value.toFixed(digits);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  );
}

/** The figures as tables. */
export function toMarkdown({
  processor,
  cores,
  node,
  date,
  torch,
  rounds,
  startup,
  python,
  ssh,
  training,
}: Report): string {
  const torchText =
    torch ?? 'PyTorch not installed here, or left out: `python3 -c "import torch"` does not work';
  const parts = [
    `${processor}, ${cores} cores, Node ${node.slice(1)}, ${date}. ${torchText}. Medians of ${rounds} rounds.`,
  ];
  if (startup) {
    parts.push(
      table(
        ['Start to first step, `tiny_cnn`, 64 px, batch 32', 'ms', 'PyTorch / ours'],
        [
          ['cold: no container', figure(startup.coldFirstStepMs, 0), figure(startup.torchOverCold, 1)],
          [
            'warm: the first run of a container that was warmed up',
            figure(startup.warmedFirstStepMs, 0),
            figure(startup.torchOverWarmed, 1),
          ],
          ['warm: the first rerun', figure(startup.firstWarmFirstStepMs, 0), ''],
          [
            'warm: a rerun, median of five',
            figure(startup.warmFirstStepMs, 0),
            figure(startup.torchOverWarm, 1),
          ],
          ['`python3 train.py` with PyTorch, one step', figure(startup.torchMs, 0), '1.0'],
          ['one later step', figure(startup.stepMs, 1), ''],
          ['a status request while training', figure(startup.statusWhileTrainingMs, 1), ''],
        ],
      ),
    );
  }
  if (ssh) {
    parts.push(
      table(
        ['A container on an SSH box, a real sshd on loopback', 'ms'],
        [
          ['warm rerun, request to first step', figure(ssh.warmMs, 0)],
          ['the same on this machine', figure(ssh.localWarmMs, 0)],
          ['over that', figure(ssh.overLocalMs, 0)],
          [`sending ${ssh.images} small images`, figure(ssh.sendMs, 0)],
          ['sending them again, nothing changed', figure(ssh.unchangedMs, 0)],
        ],
      ),
    );
  }
  if (python) {
    const { editsRun, edits } = python;
    parts.push(
      table(
        ['Your own PyTorch code: request to first step', 'ms', 'over a warm rerun'],
        [
          ['cold: no trainer', figure(python.coldFirstStepMs, 0), ''],
          ['warm: another run', figure(python.warmFirstStepMs, 1), '1.0'],
          ['the code alone, model and first step', figure(python.bareStepMs, 1), ''],
          ['a warm rerun over the code alone', figure(python.warmOverheadMs, 1), ''],
          [
            '`python3 train.py`, started afresh',
            figure(python.freshProcessMs, 0),
            figure(python.freshOverWarm, 1),
          ],
          [
            '`%run train.py` in a Jupyter kernel',
            figure(python.jupyterMs, 1),
            figure(python.jupyterOverWarm, 1),
          ],
        ],
      ),
      `An edited file was what ran ${editsRun} times of ${edits}.`,
    );
  }
  if (training.length > 0) {
    parts.push(
      table(
        ['Training', 'threads', 'steps/s', 'PyTorch steps/s', 'ours / PyTorch', 'by processor time'],
        training.map(({ subject, threads, stepsPerSecond, torchStepsPerSecond, ratio, processorRatio }) => [
          subject,
          String(threads),
          figure(stepsPerSecond, 2),
          figure(torchStepsPerSecond, 2),
          figure(ratio, 2),
          figure(processorRatio, 2),
        ]),
      ),
    );
  }
  return parts.join('\n\n');
}
