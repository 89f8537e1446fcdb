import type { EngineChoice } from '../protocol/container';
import type { ContainerSettings } from '../protocol/rpc';
import type { ParameterValues } from '../protocol/parameters';

/** Where a living container is reached. The token opens it: it belongs in no log, argument or webview. */
export interface Endpoint {
  containerId: string;
  /** ws: or wss: address. */
  url: string;
  token: string;
}

/** What a container is started with; the enter hook prepares for the recipe named by `hint`. */
export interface ContainerOptions {
  engine: EngineChoice;
  /** 0: any free port. */
  port: number;
  settings: ContainerSettings;
  hint: { recipe: string; params: ParameterValues };
}

/** A place where the container of one outputs volume can live. */
export interface Target {
  readonly name: string;
  /** The container that lives there now, if any. */
  find(): Promise<Endpoint | undefined>;
  /**
   * The living container, or a new one. Several callers at once get the same one.
   * @throws ContainerStartError
   */
  start(options: ContainerOptions): Promise<Endpoint>;
  /** Ends a container that does not answer, without mercy: its run is marked as interrupted. */
  kill(): Promise<void>;
  /**
   * Marks the runs of a container that died as failed. Does nothing while a container lives.
   * @returns the ids of the runs that were marked
   */
  settle(): Promise<string[]>;
}

/** A container could not be started; `message` says why and what to do. */
export class ContainerStartError extends Error {
  override readonly name = 'ContainerStartError';
}
