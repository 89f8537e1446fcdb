import * as v from 'valibot';
import type * as vscode from 'vscode';
import type { RemoteTargetConfig } from '../../targets/config';
import type { CredentialStore } from '../../targets/modal/credentials';
import type { Environment } from '../environment';

const tokenSchema = v.object({ tokenId: v.string(), tokenSecret: v.string() });

type Secrets = Pick<vscode.SecretStorage, 'get' | 'store' | 'delete'>;

export interface ModalTokenDeps {
  vs: { window: Pick<typeof vscode.window, 'showInputBox' | 'showQuickPick' | 'showInformationMessage'> };
  environment: Pick<Environment, 'requireSettings'>;
  secrets: Secrets;
}

const keyOf = (targetName: string): string => `tinyCats.modal.${targetName}`;

/** The tokens of Modal targets as VS Code's secret storage has them. */
export function storedCredentials(secrets: Pick<Secrets, 'get'>): CredentialStore {
  return async (targetName) => {
    const text = await secrets.get(keyOf(targetName));
    const token = v.safeParse(tokenSchema, text === undefined ? undefined : JSON.parse(text));
    return token.success ? token.output : undefined;
  };
}

/** Asks for a token of Modal and keeps it in the secret storage, where it comes before Modal's own configuration. */
export async function setModalToken(deps: ModalTokenDeps): Promise<void> {
  const { window } = deps.vs;
  const name = await chooseTarget(deps);
  if (name === undefined) {
    return;
  }
  const tokenId = await window.showInputBox({
    title: `Modal token of "${name}" (1/2): its id`,
    prompt: 'From modal.com/settings/tokens',
    placeHolder: 'ak-…',
    ignoreFocusOut: true,
    validateInput: (text) => problemOf(text, 'ak-'),
  });
  const tokenSecret =
    tokenId === undefined
      ? undefined
      : await window.showInputBox({
          title: `Modal token of "${name}" (2/2): its secret`,
          placeHolder: 'as-…',
          password: true,
          ignoreFocusOut: true,
          validateInput: (text) => problemOf(text, 'as-'),
        });
  if (tokenId !== undefined && tokenSecret !== undefined) {
    const token = { tokenId: tokenId.trim(), tokenSecret: tokenSecret.trim() };
    await deps.secrets.store(keyOf(name), JSON.stringify(token));
    void window.showInformationMessage(
      `"${name}" uses this token from now on. It is in VS Code's secret storage.`,
    );
  }
}

export async function clearModalToken(deps: ModalTokenDeps): Promise<void> {
  const name = await chooseTarget(deps);
  if (name !== undefined) {
    await deps.secrets.delete(keyOf(name));
    void deps.vs.window.showInformationMessage(
      `The token of "${name}" was removed from the secret storage. Modal's own configuration counts again.`,
    );
  }
}

/** @throws Error if there is no target on Modal */
async function chooseTarget({ vs, environment }: ModalTokenDeps): Promise<string | undefined> {
  const names = modalNames(environment.requireSettings().targets);
  if (names.length === 0) {
    throw new Error('There is no target on Modal yet: "Tiny Cats: Select Target" adds one.');
  }
  return names.length === 1 ? names[0] : vs.window.showQuickPick(names, { title: 'Token of which target?' });
}

function modalNames(targets: readonly RemoteTargetConfig[]): string[] {
  return targets.flatMap(({ kind, name }) => (kind === 'modal' ? [name] : []));
}

function problemOf(text: string, prefix: string): string | undefined {
  return text.trim().startsWith(prefix) && !/\s/.test(text.trim()) ? undefined : `It begins with ${prefix}`;
}
