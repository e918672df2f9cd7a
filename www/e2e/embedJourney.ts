// What a stranger does with an embed, in the words that Playwright and Puppeteer have in common, so that each browser can
// be led through it by whatever drives it.

export interface Frame {
  url(): string;
  evaluate<T, A>(see: (given: A) => T, given: A): Promise<T>;
}

export interface Page {
  frames(): Frame[];
  evaluate<T, A>(see: (given: A) => T, given: A): Promise<T>;
}

/** What an embed shows. */
export interface Seen {
  number: string;
  label: string;
  /** `Production Naive: ✕ breaks`. */
  corners: string[];
  code: string;
  buttons: string[];
  where: string;
  notice: string;
}

const LOOK_EVERY_MS = 50;

export class Embeds {
  #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** The first in the article is 0. Who taps it has it in sight: what is not is not drawn. */
  tap(index = 0): Promise<void> {
    return this.#page.evaluate((index) => {
      const element = document.querySelectorAll('backend-playground')[index]!;
      element.scrollIntoView({ block: 'start', behavior: 'instant' });
      element.shadowRoot!.querySelector('button')!.click();
    }, index);
  }

  scrollTo(index: number): Promise<void> {
    return this.#page.evaluate((index) => document.querySelectorAll('backend-playground')[index]!.scrollIntoView({ block: 'start', behavior: 'instant' }), index);
  }

  /** Whether its still picture is there, in pixels of its own. */
  picture(index = 0): Promise<number> {
    return this.#page.evaluate((index) => document.querySelectorAll('backend-playground')[index]?.shadowRoot?.querySelector('img')?.naturalWidth ?? 0, index);
  }

  /** Words of the element itself, outside its frame. */
  words(index = 0): Promise<string> {
    return this.#page.evaluate((index) => document.querySelectorAll('backend-playground')[index]?.shadowRoot?.textContent ?? '', index);
  }

  /** The embed of a scenario that was tapped. */
  frame(scenario: string): Frame | undefined {
    return this.#page.frames().find((frame) => frame.url().includes(`embed.html#scenario=${scenario}`) || frame.url().includes(`/${scenario}.embed.html`));
  }

  async seen(scenario: string): Promise<Seen | null> {
    const frame = this.frame(scenario);
    if (!frame) return null;
    try {
      return await frame.evaluate(look, null);
    } catch {
      // It is on its way to its page.
      return null;
    }
  }

  /** Looks until what is seen is so; how long that may take is for the test to say. */
  async until(scenario: string, is: (seen: Seen) => boolean): Promise<Seen> {
    for (;;) {
      const seen = await this.seen(scenario);
      if (seen && is(seen)) return seen;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async press(scenario: string, name: string): Promise<void> {
    await this.until(scenario, ({ buttons }) => buttons.includes(name));
    await this.frame(scenario)!.evaluate((name) => [...document.querySelectorAll('button')].find((button) => button.firstChild?.textContent?.trim() === name)!.click(), name);
  }
}

/** One tap, and a stranger has seen it break and recover. Returns the two moments. */
export async function breaksAndRecovers(embeds: Embeds, scenario: string, index = 0): Promise<{ broken: Seen; mended: Seen }> {
  await embeds.tap(index);
  const broken = await embeds.until(scenario, ({ corners, number }) => corners.some((corner) => /Naive.*✕ breaks/.test(corner)) && /[1-9]/.test(number));
  const mended = await embeds.until(scenario, ({ corners, buttons }) => /✓ holds/.test(corners.at(-1) ?? '') && buttons.includes('Replay'));
  return { broken, mended };
}

function look(): Seen {
  const text = (selector: string) => document.querySelector(selector)?.textContent?.replace(/\s+/g, ' ').trim() ?? '';
  return {
    number: text('.number b'),
    label: text('.number span'),
    corners: [...document.querySelectorAll('li')].map((corner) => [...corner.children].map((part) => part.textContent?.replace(/\s+/g, ' ').trim()).join(' ').replace(/✓(?! )/, '✓ ').replace(/✕(?! )/, '✕ ')),
    code: text('.sheet.there'),
    buttons: [...document.querySelectorAll('button')].filter((button) => !button.disabled).map((button) => button.firstChild?.textContent?.trim() ?? ''),
    where: text('.where'),
    notice: text('.notice, [role=alert]'),
  };
}
