import { errors } from 'playwright-core';
import type { Locator, Page } from 'playwright-core';

/** The box at the top of the window: command palette, quick picks and input boxes. */
export class QuickInput {
  readonly widget: Locator;
  readonly input: Locator;
  readonly rows: Locator;

  constructor(private readonly page: Page) {
    this.widget = page.locator('.quick-input-widget:visible');
    this.input = this.widget.locator('input.input');
    this.rows = this.widget.locator('.quick-input-list .monaco-list-row');
  }

  /** Opens the palette with F1 and runs the command whose whole title, category included, is given. */
  async runCommand(title: string): Promise<void> {
    await this.openAndChoose('F1', `>${title}`, title);
  }

  /** Opens a file of the workspace by the end of its path. */
  async openFile(path: string): Promise<void> {
    await this.openAndChoose('Control+P', path, path.split('/').at(-1) ?? path);
  }

  /** Opens the box with a key, types into it and picks the row that is found, again and again until it is there. */
  private async openAndChoose(key: string, text: string, label: string): Promise<void> {
    const row = this.rows.filter({ hasText: label }).first();
    for (let attempts = 20; ; attempts--) {
      // A webview that has the focus swallows the key, and one that is being loaded takes the focus, which closes the box.
      await this.page.locator('.monaco-workbench .part.statusbar').evaluate('element => element.focus()');
      await this.page.keyboard.press(key);
      try {
        await this.input.fill(text, { timeout: 5000 });
        // The palette does not learn of extensions that are found while it is open.
        await row.click({ timeout: 5000 });
        break;
      } catch (error) {
        if (!(error instanceof errors.TimeoutError) || attempts === 0) throw error;
        await this.cancel();
      }
    }
    await row.waitFor({ state: 'hidden' });
  }

  /** Picks the first row of an open quick pick that contains the text. */
  async choose(label: string): Promise<void> {
    const row = this.rows.filter({ hasText: label }).first();
    await row.click();
    await row.waitFor({ state: 'hidden' });
  }

  /** Ticks or unticks a row of a quick pick that takes several; `accept` confirms it. */
  async toggle(label: string): Promise<void> {
    await this.rows
      .filter({ hasText: label })
      .first()
      .locator('.monaco-checkbox, input[type=checkbox]')
      .first()
      .click();
  }

  async accept(): Promise<void> {
    await this.input.press('Enter');
  }

  /**
   * Answers an open input box, replacing the text that stands in it.
   * @param prompt what its title or message says, to tell it from the box before it
   */
  async answer(text: string, prompt?: string | RegExp): Promise<void> {
    if (prompt !== undefined) await this.widget.filter({ hasText: prompt }).waitFor();
    await this.input.fill(text);
    await this.accept();
  }

  /** The title or placeholder of the box that is open, as a user would read them. */
  async prompt(): Promise<string> {
    const title = await this.widget.locator('.quick-input-title').innerText();
    const placeholder = (await this.input.getAttribute('placeholder')) ?? '';
    const message = await this.widget.locator('.quick-input-message').allInnerTexts();
    return [title, placeholder, ...message]
      .map((text) => text.trim())
      .filter(Boolean)
      .join('\n');
  }

  /** Rows of an open quick pick, once there is at least one. */
  async labels(): Promise<string[]> {
    await this.rows.first().waitFor();
    return (await this.rows.allInnerTexts()).map(oneLine);
  }

  async cancel(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await this.widget.waitFor({ state: 'hidden' });
  }
}

/** Text as it is read, without the line breaks of its layout. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
