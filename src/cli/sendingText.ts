import type { SendProgress } from '../transfer/sendFolder';
import { countText } from './format';
import type { Terminal } from './terminal';
import { TransferLine } from './transferLine';

/** Tells of what is sent before a run. */
export class SendingText {
  private readonly line: TransferLine;
  private last: SendProgress | undefined;

  constructor(terminal: Terminal) {
    this.line = new TransferLine(terminal, 'Sending', 'Sent');
  }

  /** @param progress undefined once it has ended */
  take(progress: SendProgress | undefined): void {
    const { last } = this;
    this.last = progress;
    if (progress !== undefined) {
      this.line.show(countText(progress.files, 'file'), progress.sentBytes, progress.totalBytes);
    } else if (last?.sentBytes === last?.totalBytes) {
      this.line.end(countText(last?.files ?? 0, 'file'));
    } else {
      this.line.drop();
    }
  }
}
