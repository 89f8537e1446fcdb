import { homedir } from 'node:os';
import type * as vscode from 'vscode';
import type { RemoteTargetConfig } from '../../targets/config';
import { TargetConfigError, parseTargets } from '../../targets/config';
import { enginePlaces, modalProfiles, sshHosts } from '../../targets/discover';

export type RemoteKind = RemoteTargetConfig['kind'];

type Window = Pick<typeof vscode.window, 'showInputBox' | 'showQuickPick'>;
type Options = Record<string, unknown> & { name: string; kind: RemoteKind };

const OTHER = '$(edit) Another…';

/**
 * Asks for a new target of that kind: what is found on this machine first.
 * @returns undefined if the user did not say
 */
export async function askTarget(
  window: Window,
  kind: RemoteKind,
  present: readonly RemoteTargetConfig[],
): Promise<RemoteTargetConfig | undefined> {
  const options = await askOptions(window, kind);
  if (options === undefined) {
    return undefined;
  }
  const name = await window.showInputBox({
    title: 'Add Target: its name',
    value: freeName(options.name, present),
    validateInput: (text) => problemOf({ ...options, name: text }, present),
  });
  return name === undefined ? undefined : parseTargets([{ ...options, name }])[0];
}

async function askOptions(window: Window, kind: RemoteKind): Promise<Options | undefined> {
  switch (kind) {
    case 'ssh':
      return askSsh(window);
    case 'docker':
      return askDocker(window);
    case 'modal':
      return askModal(window);
  }
}

async function askSsh(window: Window): Promise<Options | undefined> {
  const hosts = await sshHosts(homedir());
  const chosen =
    hosts.length === 0
      ? OTHER
      : await window.showQuickPick([...hosts, OTHER], { title: 'Add SSH Target: a host of ~/.ssh/config' });
  const host =
    chosen === OTHER
      ? await window.showInputBox({
          title: 'Add SSH Target: host',
          placeHolder: 'gpu-box, or user@gpu-box',
          validateInput: (text) =>
            /^[^\s-]\S*$/.test(text) ? undefined : 'The name of a host, as one would give it to ssh',
        })
      : chosen;
  if (host === undefined) {
    return undefined;
  }
  const [, user, name = host] = /^([^@]+)@(.+)$/.exec(host) ?? [];
  return { name, kind: 'ssh', host: name, ...(user === undefined ? {} : { user }) };
}

async function askDocker(window: Window): Promise<Options | undefined> {
  const places = await enginePlaces(homedir(), process.env);
  const items = [
    ...places.map(({ title, description, options }) => ({ label: title, description, options })),
    { label: 'Whichever is there', description: 'Docker, else Podman', options: { engine: 'auto' } },
  ];
  const chosen = await window.showQuickPick(items, { title: 'Add Docker or Podman Target' });
  const name = chosen?.label.replace(/^Docker context /, '').toLowerCase();
  return chosen === undefined
    ? undefined
    : {
        name: name === 'whichever is there' ? 'docker' : (name ?? 'docker'),
        kind: 'docker',
        ...chosen.options,
      };
}

async function askModal(window: Window): Promise<Options | undefined> {
  const profiles = await modalProfiles(homedir());
  const gpus = ['T4', 'L4', 'A10G', 'A100', 'H100', 'none'];
  const gpu = await window.showQuickPick(gpus, {
    title: 'Add Modal Target: its GPU',
    placeHolder:
      profiles.length === 0
        ? 'There is no ~/.modal.toml yet: the check says how to make one'
        : `With the credentials of ~/.modal.toml (${profiles.join(', ')})`,
  });
  return gpu === undefined ? undefined : { name: 'modal', kind: 'modal', gpu };
}

function freeName(wanted: string, present: readonly RemoteTargetConfig[]): string {
  const base = wanted.replace(/[^\p{L}\p{N} ._-]+/gu, '-').replace(/^[^\p{L}\p{N}]+/u, '') || 'target';
  const isTaken = (name: string): boolean => present.some((target) => target.name === name);
  let name = base;
  for (let number = 2; isTaken(name); number += 1) {
    name = `${base} ${number}`;
  }
  return name;
}

function problemOf(options: Options, present: readonly RemoteTargetConfig[]): string | undefined {
  if (present.some(({ name }) => name === options.name)) {
    return `There is a target "${options.name}" already`;
  }
  try {
    parseTargets([options]);
    return undefined;
  } catch (error) {
    if (error instanceof TargetConfigError) {
      return error.message;
    }
    throw error;
  }
}
