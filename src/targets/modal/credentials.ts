import type { ModalConfig } from './config';
import { readProfiles } from './profiles';

/** What opens an account on Modal. It belongs in no setting, argument, log or event. */
export interface ModalCredentials {
  tokenId: string;
  tokenSecret: string;
}

/** Where credentials are kept beside Modal's own configuration, e.g. VS Code's SecretStorage; undefined: none there. */
export type CredentialStore = (targetName: string) => Promise<ModalCredentials | undefined>;

/** Who is asked of Modal, and by which credentials; undefined if there are none. */
export interface Account {
  credentials: ModalCredentials;
  /** Where they are from, in words for the user. */
  source: string;
  /** The environment that the profile names. */
  environment: string | undefined;
}

/**
 * The credentials of a target: the store's, else MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, else those of the profile that
 * the target, MODAL_PROFILE or Modal's configuration names. Read anew each time: `modal token new` may have run.
 */
export async function findAccount(
  { name, profile }: Pick<ModalConfig, 'name' | 'profile'>,
  store: CredentialStore | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Account | undefined> {
  const stored = await store?.(name);
  if (stored !== undefined) {
    return { credentials: stored, source: 'the secret storage', environment: env.MODAL_ENVIRONMENT };
  }
  const { MODAL_TOKEN_ID: tokenId, MODAL_TOKEN_SECRET: tokenSecret } = env;
  if (profile === undefined && tokenId && tokenSecret) {
    return {
      credentials: { tokenId, tokenSecret },
      source: 'MODAL_TOKEN_ID and MODAL_TOKEN_SECRET',
      environment: env.MODAL_ENVIRONMENT,
    };
  }
  const wanted = profile ?? env.MODAL_PROFILE;
  const profiles = readProfiles(env);
  const found = profiles.find((each) => (wanted === undefined ? each.isActive : each.name === wanted));
  return found?.credentials === undefined
    ? undefined
    : {
        credentials: found.credentials,
        source: `the profile "${found.name}"`,
        environment: env.MODAL_ENVIRONMENT ?? found.environment,
      };
}
