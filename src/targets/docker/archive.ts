import type { Pack } from 'tar-stream';
import { pack } from 'tar-stream';

/** Folders and files of a container as its engine unpacks them at `/`. */
export class Archive {
  private readonly tar: Pack = pack();

  /** Root owns what is in it; `isOpen` lets every user write there, as in /tmp. */
  folder(path: string, isOpen: boolean): this {
    this.tar.entry({ name: `${path.slice(1)}/`, type: 'directory', mode: isOpen ? 0o1777 : 0o755 });
    return this;
  }

  file(path: string, content: Buffer | string): this {
    this.tar.entry({ name: path.slice(1), mode: 0o644 }, content);
    return this;
  }

  end(): Pack {
    this.tar.finalize();
    return this.tar;
  }
}
