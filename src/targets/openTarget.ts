import type { RemoteTargetConfig, TargetConfig } from './config';
import { mirrorDir } from './historyDir';
import { LazyTarget } from './lazyTarget';
import { LocalTarget } from './local/localTarget';
import { openDockerTarget } from './docker/open';
import type { CredentialStore } from './modal/credentials';
import type { Ends } from './modal/layout';
import { openModalTarget } from './modal/open';
import { openSshTarget } from './ssh/open';
import type { Target } from './target';

/** Asks the user; undefined if they do not say. */
export interface AskUser {
  /** A pass phrase or password: it is kept nowhere. */
  secret(prompt: string): Promise<string | undefined>;
  confirm(question: string): Promise<boolean | undefined>;
}

/** What targets need of who opens them. */
export interface TargetDeps {
  /** Folder of container.js and trainer.js. */
  bundleDir: string;
  /** The outputs and data volume on this machine. */
  outputsDir: string;
  dataDir: string;
  /** OpenSSH's client, where it is not the `ssh` on PATH. */
  sshProgram?: string;
  /** Which of the target's containers for these volumes: 0, if not given, is the one that is there outside of sweeps. */
  slot?: number;
  /** Absent where the terminal asks. */
  ask?: AskUser;
  /** Credentials for Modal that are kept beside its own configuration. */
  modalCredentials?: CredentialStore;
  /** What a double of Modal needs otherwise than Modal. */
  modalEnds?: Ends;
}

export interface OpenedTarget {
  target: Target;
  /** The outputs volume as it is read here: the volume itself, or the mirror of one that is elsewhere. */
  outputsDir: string;
}

/**
 * The configured target. Nothing is contacted yet.
 * @throws ContainerStartError if a folder of the local target cannot be made or written
 */
export function openTarget(config: TargetConfig, deps: TargetDeps): OpenedTarget {
  if (config.kind === 'local') {
    const target = LocalTarget.open(deps);
    return { target, outputsDir: target.outputsDir };
  }
  return {
    target: new LazyTarget(config.name, config.kind, config.python, () => open(config, deps)),
    outputsDir: mirrorDir(deps.outputsDir, config.name),
  };
}

/** Each kind loads what it needs. */
function open(config: RemoteTargetConfig, deps: TargetDeps): Promise<Target> {
  switch (config.kind) {
    case 'ssh':
      return openSshTarget(config, deps);
    case 'docker':
      return openDockerTarget(config, deps);
    case 'modal':
      return openModalTarget(config, deps);
  }
}
