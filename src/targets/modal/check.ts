import { NotFoundError } from 'modal';
import type { Finding } from '../target';
import { ContainerStartError } from '../target';
import type { ModalConfig } from './config';
import { NO_CREDENTIALS, describeProblem } from './problems';
import type { Session } from './session';

export interface CheckDeps {
  config: ModalConfig;
  session: Session;
  sandboxName: string;
}

const LIMIT_MS = 20_000;

/** Credentials? Reachable? What is there already? Makes and starts nothing. */
export async function checkModal(deps: CheckDeps, signal?: AbortSignal): Promise<Finding[]> {
  const { config, session } = deps;
  try {
    await session.client();
  } catch (error) {
    return [error instanceof ContainerStartError ? NO_CREDENTIALS : describeProblem(error, undefined)];
  }
  const findings: Finding[] = [{ severity: 'ok', what: `Credentials of Modal from ${session.source}` }];
  try {
    findings.push(...(await limited(lookAround(deps), signal)));
  } catch (error) {
    signal?.throwIfAborted();
    findings.push(describeProblem(error, session.credentials));
    return findings;
  }
  findings.push({
    severity: 'ok',
    what:
      config.gpu === 'none'
        ? 'Sandboxes without a GPU'
        : `Sandboxes with a GPU of kind ${config.gpu}, which have no memory snapshots`,
  });
  return findings;
}

async function lookAround({ config, session, sandboxName }: CheckDeps): Promise<Finding[]> {
  const client = await session.client();
  const app = await orNotFound(client.apps.fromName(config.app, session.inEnvironment));
  if (app === undefined) {
    return [{ severity: 'ok', what: `Modal is reached; the first start makes the app "${config.app}"` }];
  }
  const sandbox = await orNotFound(client.sandboxes.fromName(config.app, sandboxName, session.inEnvironment));
  const isWarm = sandbox !== undefined && (await sandbox.poll()) === null;
  return [
    {
      severity: 'ok',
      what: `Modal is reached; the app "${config.app}" is there, ${isWarm ? 'with a sandbox of this workspace' : 'without a sandbox of this workspace'}`,
    },
  ];
}

async function orNotFound<T>(lookup: Promise<T>): Promise<T | undefined> {
  try {
    return await lookup;
  } catch (error) {
    if (error instanceof NotFoundError) {
      return undefined;
    }
    throw error;
  }
}

async function limited<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  return Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      const refuse = (): void =>
        reject(new Error(limit.aborted ? `Modal did not answer within ${LIMIT_MS / 1000} s` : 'cancelled'));
      if (either.aborted) {
        refuse();
      } else {
        either.addEventListener('abort', refuse, { once: true });
      }
    }),
  ]);
}
