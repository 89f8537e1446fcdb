import type * as vscode from 'vscode';
import type { AskUser } from '../../targets/openTarget';

/** Asks nobody: what would have to ask fails, and says so. */
export const NOBODY: AskUser = {
  secret: () => Promise.resolve(undefined),
  confirm: () => Promise.resolve(undefined),
};

/**
 * What ssh asks of its user, asked by VS Code. Who does not answer is not asked again by what goes on in the background,
 * until they ask for something themselves.
 */
export class UserQuestions implements AskUser {
  private isDeclined = false;

  constructor(private readonly window: Pick<typeof vscode.window, 'showInputBox' | 'showWarningMessage'>) {}

  /** The user wants something that may need an answer. */
  askAgain(): void {
    this.isDeclined = false;
  }

  /** A pass phrase or password: it is kept nowhere. */
  async secret(prompt: string): Promise<string | undefined> {
    if (this.isDeclined) {
      return undefined;
    }
    const text = await this.window.showInputBox({
      title: 'Tiny Cats: SSH asks',
      prompt: prompt.trim(),
      password: true,
      ignoreFocusOut: true,
    });
    this.isDeclined = text === undefined;
    return text;
  }

  /** Whether to trust an unknown host, above all: the question holds the fingerprint of its key. */
  async confirm(question: string): Promise<boolean | undefined> {
    if (this.isDeclined) {
      return undefined;
    }
    const [title = '', ...rest] = question.trim().split('\n');
    const detail = rest.join('\n').replace(/\s*\(yes\/no.*$/s, '');
    const chosen = await this.window.showWarningMessage(title, { modal: true, detail }, 'Yes');
    this.isDeclined = chosen === undefined;
    return chosen === undefined ? undefined : true;
  }
}
