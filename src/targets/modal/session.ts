import { ModalClient } from 'modal';
import { ContainerStartError } from '../target';
import type { Account, CredentialStore, ModalCredentials } from './credentials';
import { findAccount } from './credentials';
import type { ModalConfig } from './config';
import { NO_CREDENTIALS } from './problems';

/** The connection to Modal by the target's account, made when it is first needed and anew when credentials change. */
export class Session {
  private open: { client: ModalClient; account: Account } | undefined;

  constructor(
    private readonly config: Pick<ModalConfig, 'name' | 'profile' | 'environment'>,
    private readonly store: CredentialStore | undefined,
  ) {}

  /** Those in use, so that messages can be kept free of them. */
  get credentials(): ModalCredentials | undefined {
    return this.open?.account.credentials;
  }

  /** Where they are from, in words. */
  get source(): string {
    return this.open?.account.source ?? '';
  }

  /** Parameter of everything that is looked up by name. */
  get inEnvironment(): { environment?: string } {
    const environment = this.config.environment ?? this.open?.account.environment;
    return environment === undefined ? {} : { environment };
  }

  /** @throws ContainerStartError without credentials */
  async client(): Promise<ModalClient> {
    const account = await findAccount(this.config, this.store);
    if (account === undefined) {
      throw new ContainerStartError(`${NO_CREDENTIALS.what}. Try: ${NO_CREDENTIALS.remedy}`);
    }
    const { tokenId, tokenSecret } = account.credentials;
    const present = this.open?.account.credentials;
    if (this.open === undefined || present?.tokenId !== tokenId || present.tokenSecret !== tokenSecret) {
      this.close();
      const client = new ModalClient({ tokenId, tokenSecret, logLevel: 'error' });
      this.open = { client, account };
    }
    return this.open.client;
  }

  close(): void {
    this.open?.client.close();
    this.open = undefined;
  }
}
