import type { HostToInspector } from '../../protocol/inspector';
import { inspectorToHostSchema } from '../../protocol/inspector';
import { parse } from '../../protocol/schema';
import type { CheckpointReader } from './checkpointReader';

export interface InspectionDeps {
  path: string;
  readers: readonly CheckpointReader[];
  post(message: HostToInspector): void;
  copy(text: string): void;
}

/** The reason in words, without the path that the page shows anyway. */
function problemText(path: string, error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return 'The file does not exist. It was moved or removed; it is shown again as soon as it is back.';
  }
  const text = error instanceof Error ? error.message : String(error);
  const reason = text.startsWith(`${path}: `) ? text.slice(path.length + 2) : text;
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}

/** One open inspector: reads its file when the page asks and when the file changes, one read at a time. */
export class Inspection {
  #reading = false;
  #stale = false;
  #ready = false;
  #disposed = false;

  constructor(readonly deps: InspectionDeps) {}

  /**
   * Takes a message of the page.
   * @throws SchemaError for anything else
   */
  async handle(data: unknown): Promise<void> {
    const message = parse(inspectorToHostSchema, data, "the inspector's message");
    switch (message.type) {
      case 'ready':
      case 'reload':
        this.#ready = true;
        await this.#refresh();
        break;
      case 'copy':
        this.deps.copy(message.text);
        break;
    }
  }

  /** To be called when VS Code drops the page; a new one will say `ready`. */
  pageHidden(): void {
    this.#ready = false;
  }

  /** To be called when the file was written, replaced or removed. A page that is not there asks once it is. */
  async fileChanged(): Promise<void> {
    if (this.#ready) {
      await this.#refresh();
    }
  }

  /** Nothing is posted afterwards. */
  dispose(): void {
    this.#disposed = true;
  }

  /** Posts what the file holds after this call; calls during a read are answered by one more read. */
  async #refresh(): Promise<void> {
    this.#stale = true;
    if (this.#reading) {
      return;
    }
    this.#reading = true;
    try {
      while (this.#stale) {
        this.#stale = false;
        this.#post(await this.#read());
      }
    } finally {
      this.#reading = false;
    }
  }

  #post(message: HostToInspector): void {
    if (!this.#disposed) {
      this.deps.post(message);
    }
  }

  async #read(): Promise<HostToInspector> {
    const { path, readers } = this.deps;
    const reader = readers.find((candidate) => candidate.matches(path));
    if (!reader) {
      const known = readers.map(({ id }) => id).join(', ');
      return {
        type: 'error',
        path,
        message: `No reader knows this kind of file. Formats that can be shown: ${known}.`,
      };
    }
    try {
      return { type: 'summary', summary: await reader.read(path) };
    } catch (error) {
      return { type: 'error', path, message: problemText(path, error) };
    }
  }
}
