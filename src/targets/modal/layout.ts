import { posix } from 'node:path';
import type { Duplex } from 'node:stream';
import type { AgentPlace } from '../agent/protocol';
import { volumeKey } from '../volumeKey';
import type { ModalConfig } from './config';

/** How a sandbox is laid out. Only a double of Modal, whose sandboxes are processes of one machine, needs another. */
export interface SandboxLayout {
  /** Where the volumes are mounted. */
  outputs: string;
  data: string;
  /** Port in the sandbox to which the tunnel leads. */
  port: number;
}

/** What only a double of Modal needs otherwise. */
export interface Ends {
  layout?: SandboxLayout;
  /** Makes the socket to a tunnel's end, whose certificate the system does not know. */
  connect?: (host: string, port: number) => Duplex;
}

export const LAYOUT: SandboxLayout = { outputs: '/outputs', data: '/data', port: 8000 };

/** What belongs to one container: the workspace that it is of names it. */
export interface SandboxNames {
  /** Of the sandbox in its app. */
  sandbox: string;
  /** Where the container and its agent find what is theirs. */
  place: AgentPlace;
  /** Folder of the program's versions, on the data volume: sent once for each version, not for each sandbox. */
  codeRoot: string;
}

/**
 * @param outputsDir the workspace's outputs folder on this side; its path is the key
 * @param slot which of several containers of the same volumes
 */
export function namesOf(
  config: Pick<ModalConfig, 'name'>,
  outputsDir: string,
  { outputs, data }: SandboxLayout,
  slot = 0,
): SandboxNames {
  const workspace = volumeKey(outputsDir);
  const container = slot === 0 ? workspace : `${workspace}-${slot}`;
  return {
    sandbox: container,
    place: {
      home: '~/.tiny-cats',
      // Other containers write to the same volume, and from its sandbox this one cannot see that they live.
      outputsDir: posix.join(outputs, container),
      dataDir: data,
      target: config.name,
      listen: { on: 'host', host: '0.0.0.0' },
    },
    codeRoot: posix.join(data, '.tiny-cats', 'code'),
  };
}
