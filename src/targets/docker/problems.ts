import type { Finding } from '../target';
import { ContainerStartError } from '../target';
import type { EngineAddress } from './address';
import { describeAddress } from './address';

/** Why an engine cannot be used, and the command that mends it. */
export function explainUnreachable(address: EngineAddress, error: unknown): Required<Finding> {
  const where = describeAddress(address);
  const isPodman = where.includes('podman');
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return isPodman
        ? problem(`You may not use ${where}.`, 'systemctl --user enable --now podman.socket')
        : problem(
            `You may not use ${where}: only root and the group "docker" may. Log out and in again after you joined it.`,
            'sudo usermod -aG docker "$USER"',
          );
    case 'ENOENT':
    case 'ECONNREFUSED':
      return isPodman
        ? problem(
            `No Podman answers at ${where}.`,
            where.startsWith('/run/user/')
              ? 'systemctl --user enable --now podman.socket'
              : 'sudo systemctl enable --now podman.socket',
          )
        : problem(`No Docker Engine answers at ${where}.`, 'sudo systemctl enable --now docker');
    default:
      return problem(
        `The container engine at ${where} cannot be used: ${messageOf(error)}.`,
        address.via === 'ssh' ? `ssh ${address.destination} docker version` : 'docker version',
      );
  }
}

/** An engine's refusal, or a broken link to it, as an error for the user. */
export function startError(what: string, error: unknown): ContainerStartError {
  if (error instanceof ContainerStartError) {
    return error;
  }
  const message = messageOf(error);
  const advice = known.find(([pattern]) => pattern.test(message))?.[1] ?? '';
  return new ContainerStartError(`${what}: ${message}.${advice}`, { cause: error });
}

const known: readonly [RegExp, string][] = [
  [
    /port is already allocated|address already in use/i,
    ' Choose another port with tinyCats.port or --port, or 0 for any free one.',
  ],
  [
    /could not select device driver.*gpu/is,
    ' Docker has no NVIDIA runtime. Install the NVIDIA Container Toolkit, then run: ' +
      'sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker',
  ],
  [
    /nvidia\.com\/gpu|unresolvable CDI/i,
    ' Podman finds no such GPU. Install the NVIDIA Container Toolkit, then run: ' +
      'sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml',
  ],
  [/no space left on device/i, ' Make room, for example with: docker system prune'],
];

/** HTTP status with which an engine refused; undefined if it did not. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number')) {
    return undefined;
  }
  // Podman says 500 of a container that goes while it looks.
  return error.statusCode === 500 && /no such container/i.test(error.message) ? 404 : error.statusCode;
}

/** Takes a refusal that says what is so anyway. */
export function ignoreStatus(...statuses: number[]): (error: unknown) => undefined {
  return (error) => {
    if (!statuses.includes(statusOf(error) ?? 0)) {
      throw error;
    }
  };
}

/** A container of that name exists already: Docker says 409, Podman 500. */
export function isNameTaken(error: unknown): boolean {
  return (
    error instanceof Error &&
    (statusOf(error) === 409 || statusOf(error) === 500) &&
    /name .*already in use/i.test(error.message)
  );
}

/** What the engine said, without what its client adds. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .replace(/^\(HTTP code \d+\) [\w ]* - /, '')
    .trim()
    .replace(/\.$/, '');
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function problem(what: string, remedy: string): Required<Finding> {
  return { severity: 'error', what, remedy };
}
