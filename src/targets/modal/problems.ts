import { ContainerStartError } from '../target';
import type { Finding } from '../target';
import type { ModalCredentials } from './credentials';

/** Numbers of gRPC's codes. */
const Code = {
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export const NO_CREDENTIALS = {
  severity: 'error',
  what: 'There are no credentials for Modal: neither in the secret storage, nor in MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, nor in ~/.modal.toml',
  remedy: 'pip install modal && modal token new',
} as const satisfies Finding;

/** What an error of Modal means for the user, and the command that mends it. */
export function describeProblem(error: unknown, credentials: ModalCredentials | undefined): Finding {
  const text = withoutSecrets(error instanceof Error ? error.message : String(error), credentials);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case Code.unauthenticated:
      return { severity: 'error', what: 'Modal refuses the token', remedy: 'modal token new' };
    case Code.permissionDenied:
      return { severity: 'error', what: `Modal does not permit it (${text})`, remedy: 'modal profile list' };
    case Code.notFound:
      return {
        severity: 'error',
        what: `Modal does not find it (${text})`,
        remedy: 'modal environment list',
      };
    case Code.resourceExhausted:
      return {
        severity: 'error',
        what: `Modal gives no more at the moment: a limit of the account (${text})`,
        remedy: 'modal app list',
      };
    case Code.unavailable:
    case Code.deadlineExceeded:
      return {
        severity: 'error',
        what: `Modal cannot be reached (${text})`,
        remedy: 'curl -sSI https://api.modal.com',
      };
    default:
      return { severity: 'error', what: text };
  }
}

/** @param credentials which the message must not tell */
export function startError(error: unknown, credentials: ModalCredentials | undefined): ContainerStartError {
  if (error instanceof ContainerStartError) {
    return error;
  }
  const { what, remedy } = describeProblem(error, credentials);
  return new ContainerStartError(`${what}.${remedy === undefined ? '' : ` Try: ${remedy}`}`);
}

function withoutSecrets(text: string, credentials: ModalCredentials | undefined): string {
  return credentials === undefined
    ? text
    : text.replaceAll(credentials.tokenSecret, '…').replaceAll(credentials.tokenId, '…');
}
