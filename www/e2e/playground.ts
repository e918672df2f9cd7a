// How the tests take hold of the page: by what a reader sees and a screen reader says.

import { expect, test as base, type Page } from '@playwright/test';
import { HARDENED, LIVE, PRODUCTION } from './names';

const commandLine = process.env.TWOAM;
if (!commandLine) throw new Error('TWOAM names the native command line. `cargo xtask test` builds it and sets this.');

/** The native build of what the site runs. */
export const native = commandLine;

export class Playground {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** With the scenario's tour left out, as a reader has it who wants no motion, and on one's own machine going. */
  async open(hash = '') {
    await this.page.emulateMedia({ reducedMotion: 'reduce' });
    await this.page.goto(/^https?:/.test(hash) ? hash : `./${hash}`);
    await expect(this.page.getByRole('heading', { level: 1 })).toBeVisible();
    const { hash: there } = new URL(this.page.url());
    if (!/^#(v\d|console)/.test(there)) await this.page.getByRole('button', { name: 'Play', exact: true }).click();
  }

  async live() {
    await expect(this.page.getByText(LIVE)).toBeVisible();
  }

  /** Something of the bar, which folds away on a narrow screen. */
  async menu(name: string) {
    const menu = this.page.getByRole('button', { name: 'Menu' });
    if (await menu.isVisible()) await menu.click();
    await this.page.getByRole('navigation', { name: '2 AM' }).getByRole('button', { name, exact: true }).click();
  }

  corner(name: RegExp) {
    return this.page.getByRole('button', { name });
  }

  get production() {
    return this.corner(PRODUCTION);
  }

  get hardened() {
    return this.corner(HARDENED);
  }

  /** What shows the code: text, and from the moment a reader comes near it an editor. */
  get code() {
    return this.page.getByRole('region', { name: 'Code', exact: true });
  }

  get editor() {
    return this.page.locator('.cm-content');
  }

  get time() {
    return this.page.getByLabel('Virtual time');
  }

  async pause() {
    await this.page.getByRole('button', { name: 'Pause' }).click();
    await this.rest();
  }

  /** Time stands still, and everything is drawn as of that moment. */
  async rest() {
    await expect(this.page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
    await expect(this.page.locator('#view')).toHaveAttribute('aria-busy', 'false');
  }

  /** What comes next may come within the same millisecond, so the time that is shown need not change. */
  async stepOn() {
    await this.page.getByRole('button', { name: 'One step on' }).click();
    await this.rest();
  }

  async openEditor() {
    await this.code.locator('.sheet').click();
    await expect(this.editor).toBeFocused();
  }

  /** Replaces the code that is shown. */
  async write(source: string) {
    await this.openEditor();
    await this.page.keyboard.press('Control+a');
    await this.page.keyboard.insertText(source);
  }
}

/** Every test also fails for anything on the console and for any request that leaves the site. */
export const test = base.extend<{ playground: Playground; complaints: string[] }>({
  complaints: async ({}, use) => use([]),
  playground: async ({ page, baseURL, complaints }, use) => {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== new URL(baseURL!).origin) complaints.push(`asked ${request.url()}`);
    });
    await use(new Playground(page));
    expect(complaints).toEqual([]);
  },
});

export { expect };
