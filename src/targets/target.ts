import type { Duplex } from 'node:stream';
import type { EngineChoice } from '../protocol/container';
import type { RunEvent } from '../protocol/events';
import type { ParameterValues } from '../protocol/parameters';
import type { Program } from '../protocol/program';
import type { ContainerSettings } from '../protocol/rpc';
import type { RunRecord } from '../protocol/run';

/** Where a living container is reached. The token opens it: it belongs in no log, argument or webview. */
export interface Endpoint {
  containerId: string;
  /** ws: or wss: address. */
  url: string;
  token: string;
  /** Makes the socket where a TCP connection to the address is not the way. */
  connect?: () => Duplex;
}

/** The address in the handshake of a container that is reached through a socket's path; no name is looked up. */
export const SOCKET_URL = 'ws://localhost/';

/** What a container is started with; the enter hook prepares for the recipe named by `hint`. */
export interface ContainerOptions {
  engine: EngineChoice;
  /** 0: any free port. */
  port: number;
  settings: ContainerSettings;
  hint: { recipe: string; params: ParameterValues; program?: Program };
}

export type TargetKind = 'local' | 'ssh' | 'docker' | 'modal';

/** One thing that was checked about a target. */
export interface Finding {
  severity: 'ok' | 'warning' | 'error';
  /** What was found, in words for the user. */
  what: string;
  /** A command that mends it. */
  remedy?: string;
}

/** Hears how a start goes on. */
export interface StartProgress {
  /** Times a part of the start, such as "image pull", "code sent", "start": a bar of the start-up waterfall. */
  phase<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** A line for the user: pull progress, what is sent. It must hold no secret. */
  log(text: string): void;
}

/** A run as its volume has it: what run.json says, and events in order. */
export interface RunHistory {
  record: RunRecord;
  events: RunEvent[];
}

/** A place where the container of one outputs volume can live. */
export interface Target {
  /** As in the settings; `local` always exists. */
  readonly name: string;
  readonly kind: TargetKind;
  /** Python there; undefined: `python3`, whichever that is. */
  readonly python?: string | undefined;
  /** The container that lives there now, if any. */
  find(): Promise<Endpoint | undefined>;
  /**
   * The living container, or a new one. Several callers at once get the same one.
   * @throws ContainerStartError
   */
  start(options: ContainerOptions, progress: StartProgress): Promise<Endpoint>;
  /** Ends a container that does not answer, without mercy: its run is marked as interrupted. */
  kill(): Promise<void>;
  /**
   * Marks the runs of a container that died as failed. Does nothing while a container lives.
   * @returns the ids of the runs that were marked
   */
  settle(): Promise<string[]>;
  /** What is missing for a container to live there, each with the command that mends it. Changes nothing. */
  check(signal?: AbortSignal): Promise<Finding[]>;
  /**
   * Reads a volume that is not on this machine while no container is there to ask: its runs, and the events of each
   * after the given seq. Absent where that cannot be.
   */
  history?(after: ReadonlyMap<string, number>): Promise<RunHistory[]>;
  /**
   * Makes a snapshot of the warm container, from which its next start is restored; it goes on meanwhile. Absent where that
   * cannot be.
   * @param freeze makes the container stop and wait for this target, once it is known that a snapshot can be made
   * @throws Error saying why there is none; then the container goes on as before
   */
  snapshot?(freeze: (freezeId: string) => Promise<void>): Promise<void>;
  /** Lets go of connections, not of the container. */
  dispose(): Promise<void>;
}

/** A snapshot was asked of a target that has none. */
export function noSnapshots(target: string): Error {
  return new Error(
    `The target "${target}" keeps no snapshots: Podman can, with CRIU 4, for a target of kind "docker".`,
  );
}

/** A container could not be started; `message` says why and what to do. */
export class ContainerStartError extends Error {
  override readonly name = 'ContainerStartError';

  /** Some targets come in bundles of their own, in which this class is another object. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'ContainerStartError';
  }
}
