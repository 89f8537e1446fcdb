import type * as vscode from 'vscode';
import { Pace } from '../../transfer/pace';
import type { SendProgress } from '../../transfer/sendFolder';
import { formatBytes } from '../format';

/** What is less is sent before anybody has read of it. */
const WORTH_TELLING_BYTES = 1_000_000;

export interface SendingNoticeDeps {
  show: ShowProgress;
  container: SendingSource;
  targetName: () => string;
  /** Milliseconds of a clock that only goes on. */
  now: () => number;
}

/** Shows how far something is for as long as it takes; the user can break it off. */
export type ShowProgress = (
  title: string,
  work: (
    report: (step: { increment: number; message: string }) => void,
    onCancel: (listener: () => void) => unknown,
  ) => Promise<void>,
) => unknown;

/** By a notification with a button. */
export function byNotification({
  ProgressLocation,
  window,
}: Pick<typeof vscode, 'ProgressLocation' | 'window'>): ShowProgress {
  return (title, work) =>
    window.withProgress({ location: ProgressLocation.Notification, title, cancellable: true }, (bar, token) =>
      work(
        (step) => bar.report(step),
        (listener) => token.onCancellationRequested(listener),
      ),
    );
}

/** The container model, as far as this is about. */
interface SendingSource {
  on(event: 'sending', listener: (progress: SendProgress | undefined) => void): unknown;
  off(event: 'sending', listener: (progress: SendProgress | undefined) => void): unknown;
  cancelSending(): void;
}

interface Shown {
  report: (progress: SendProgress) => void;
  end: () => void;
}

/** A notification while data is sent: how far it is, how fast, and a button that breaks it off. */
export class SendingNotice {
  private shown: Shown | undefined;

  constructor(private readonly deps: SendingNoticeDeps) {
    deps.container.on('sending', this.take);
  }

  dispose(): void {
    this.deps.container.off('sending', this.take);
    this.shown?.end();
  }

  private readonly take = (progress: SendProgress | undefined): void => {
    if (progress === undefined) {
      this.shown?.end();
      this.shown = undefined;
    } else if (this.shown !== undefined || progress.totalBytes >= WORTH_TELLING_BYTES) {
      this.shown ??= this.show(progress);
      this.shown.report(progress);
    }
  };

  private show({ files }: SendProgress): Shown {
    const { show, container, targetName, now } = this.deps;
    const pace = new Pace();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    let told = 0;
    let report: Shown['report'] = () => undefined;
    void show(
      `Tiny Cats: sending ${files} ${files === 1 ? 'file' : 'files'} to ${targetName()}`,
      (tell, onCancel) => {
        onCancel(() => container.cancelSending());
        report = ({ sentBytes, totalBytes }) => {
          pace.note(sentBytes, now());
          const percent = totalBytes === 0 ? 100 : (sentBytes / totalBytes) * 100;
          const speed = pace.bytesPerSecond;
          tell({
            increment: percent - told,
            message:
              `${formatBytes(sentBytes)} of ${formatBytes(totalBytes)}` +
              (speed === undefined ? '' : `, ${formatBytes(Math.round(speed))}/s`),
          });
          told = percent;
        };
        return ended;
      },
    );
    return { report: (progress) => report(progress), end };
  }
}
