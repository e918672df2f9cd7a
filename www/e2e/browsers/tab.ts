// A browser's tab as the journeys use it, whichever browser it is: what a reader sees and a screen reader says is
// found in the page itself, by the same library everywhere. Waiting is for changes of the page, never for a clock.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as TestingLibrary from '@testing-library/dom';

/** What Playwright's and Puppeteer's frames have in common, and the one over WebDriver is given. */
export interface Frame {
  goto(address: string): Promise<unknown>;
  evaluate<A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  evaluateHandle<A>(run: (argument: A) => unknown, argument: A): Promise<{ asElement(): Element | null }>;
}

export interface Element {
  click(): Promise<void>;
  contentFrame(): Promise<Frame | null>;
}

/** What a browser adds to its frames. */
export interface Page {
  frame: Frame;
  selectAll(): Promise<void>;
  type(text: string): Promise<void>;
  /** Errors and warnings of the console, and what was asked of any other origin. */
  complaints(): Promise<string[]>;
  close(): Promise<void>;
}

export interface Browser {
  /** A tab that remembers nothing of those before it. Requests to these origins are none to complain of. */
  open(origins: string[]): Promise<Page>;
  close(): Promise<void>;
}

/** A page that the library was given to. */
interface Equipped {
  TestingLibraryDom: typeof TestingLibrary;
}

const library = readFileSync(createRequire(import.meta.url).resolve('@testing-library/dom/dist/@testing-library/dom.umd.min.js'), 'utf8');
const WITHIN_MS = 90_000;

export class Tab {
  readonly #page: Page;
  readonly #frame: Frame;

  constructor(page: Page, frame = page.frame) {
    this.#page = page;
    this.#frame = frame;
  }

  async open(address: string) {
    await this.#frame.goto(address);
  }

  evaluate<A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R> {
    return this.#frame.evaluate(run, argument);
  }

  /** Waits until it is there. */
  async see(role: string, name: RegExp) {
    await this.#find(role, name);
  }

  async click(role: string, name: RegExp) {
    await (await this.#find(role, name)).click();
  }

  /** Waits until the text is shown, and returns it. */
  async read(text: RegExp): Promise<string> {
    await this.#equip();
    return this.evaluate(
      async ({ source, within }) => {
        const { screen } = (globalThis as unknown as Equipped).TestingLibraryDom;
        return (await screen.findByText(new RegExp(source), {}, { timeout: within })).textContent;
      },
      { source: text.source, within: WITHIN_MS },
    );
  }

  /** Waits until the page is so, looked at whenever it changes. */
  async until(so: () => unknown) {
    await this.#wait(so);
  }

  /** For what has no name of its own, or lies in a shadow. */
  async clickOn(find: () => globalThis.Element | null | undefined) {
    await (await this.#wait(find))!.click();
  }

  /** Waits until the frame is there, and goes into it. */
  async inside(find: () => globalThis.Element | null | undefined): Promise<Tab> {
    const frame = await (await this.#wait(find))?.contentFrame();
    if (!frame) throw new Error('What was found is no frame.');
    return new Tab(this.#page, frame);
  }

  /** Types where the focus is, in place of what stands there. */
  async replace(text: string) {
    await this.#page.selectAll();
    await this.#page.type(text);
  }

  async #wait(so: () => unknown): Promise<Element | null> {
    await this.#equip();
    // One function of both: the page's policy forbids to make one there.
    const wait = `return TestingLibraryDom.waitFor(() => { const found = (${so})(); if (!found) throw new Error('Not so: ${so.toString().replace(/['\\\n]/g, ' ')}'); return found; }, { timeout: ${WITHIN_MS} })`;
    const found = await this.#frame.evaluateHandle(new Function(wait) as () => unknown, undefined);
    return found.asElement();
  }

  async #find(role: string, name: RegExp): Promise<Element> {
    await this.#equip();
    const wanted = { role, name: name.source, within: WITHIN_MS };
    const found = await this.#frame.evaluateHandle(({ role, name, within }) => {
      const { screen } = (globalThis as unknown as Equipped).TestingLibraryDom;
      return screen.findByRole(role, { name: new RegExp(name) }, { timeout: within });
    }, wanted);
    return found.asElement()!;
  }

  /** The library goes with the document it was given to. */
  async #equip() {
    if (await this.evaluate(() => 'TestingLibraryDom' in globalThis, undefined)) return;
    await this.evaluate(new Function(library) as () => void, undefined);
    // Else every message brings the whole document along.
    await this.evaluate(() => {
      const { configure } = (globalThis as unknown as Equipped).TestingLibraryDom;
      configure({ getElementError: (message) => new Error(message ?? 'Not found.') });
    }, undefined);
  }
}
