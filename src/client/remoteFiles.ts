import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoint } from '../targets/target';
import type { DownloadOptions } from '../transfer/download';
import { download } from '../transfer/download';
import { FileLink, TransferRefused } from '../transfer/link';
import { ScanError } from '../transfer/scan';
import type { SendOptions } from '../transfer/sendFolder';
import { sendFolder } from '../transfer/sendFolder';
import { sendParameters } from '../transfer/sendParameters';

const ATTEMPTS = 8;
const PAUSE_MS = 250;

/** Files to and from a container that is elsewhere, through links that break and are restored. */
export class RemoteFiles {
  /** @param endpoint resolves once there is a link; rejects without a container */
  constructor(private readonly endpoint: (signal?: AbortSignal) => Promise<Endpoint>) {}

  /** Fetches a file of a run to `path`. @throws Error if that cannot be */
  async fetch(runId: string, file: string, path: string, options: DownloadOptions): Promise<void> {
    await this.overLink((link) => download(link, runId, file, path, options), options.signal);
  }

  /** Brings a program's folder to the container's machine: the code may write there. */
  async sendCode(folder: string, options: SendOptions): Promise<void> {
    await this.overLink((link) => sendFolder(link, folder, { ...options, writable: true }), options.signal);
  }

  /** Brings what parameters name to the container's machine. @returns where it is there */
  async send(paths: ReadonlyMap<string, string>, options: SendOptions): Promise<Record<string, string>> {
    return this.overLink((link) => sendParameters(link, paths, options), options.signal);
  }

  private async overLink<T>(work: (link: FileLink) => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const endpoint = await this.endpoint(signal);
      try {
        return await work(new FileLink(endpoint));
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof TransferRefused || error instanceof ScanError || attempt === ATTEMPTS) {
          throw error;
        }
        // What has arrived stays: the next attempt goes on from there.
        await delay(PAUSE_MS * attempt);
      }
    }
  }
}
