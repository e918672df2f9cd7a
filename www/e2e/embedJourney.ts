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
  /** `since the deploy; 216 before`; empty: nothing was deployed. */
  before: string;
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

  /** The first of these buttons that is there. */
  async press(scenario: string, ...names: string[]): Promise<void> {
    const { buttons } = await this.until(scenario, ({ buttons }) => buttons.some((button) => names.includes(button)));
    const name = buttons.find((button) => names.includes(button))!;
    await this.frame(scenario)!.evaluate((name) => [...document.querySelectorAll('button')].find((button) => button.firstChild?.textContent?.trim() === name)!.click(), name);
  }
}

export const isBroken = ({ corners }: Seen) => corners.some((corner) => /Naive.*✕ breaks/.test(corner));
export const isMended = ({ corners, before }: Seen) => /✓ holds/.test(corners.at(-1) ?? '') && before !== '';

/** One tap, and a stranger has seen it break and recover. Returns how it stands in the end. */
export async function breaksAndRecovers(embeds: Embeds, scenario: string, index = 0): Promise<Seen> {
  await embeds.tap(index);
  await embeds.until(scenario, isBroken);
  await embeds.until(scenario, isMended);
  return embeds.until(scenario, ({ buttons }) => buttons.includes('Replay'));
}

/** A reader who wants to see the break, and no fix yet: whoever stops once has nothing deployed by itself. */
export async function breaksAndStays(embeds: Embeds, scenario: string, index = 0): Promise<Seen> {
  await embeds.tap(index);
  await embeds.press(scenario, 'Pause', 'Stop');
  await embeds.press(scenario, 'Play');
  await embeds.until(scenario, (seen) => isBroken(seen) && seen.where.endsWith('live'));
  await embeds.press(scenario, 'Pause');
  return embeds.until(scenario, ({ buttons }) => buttons.includes('Play'));
}

function look(): Seen {
  const text = (selector: string) => document.querySelector(selector)?.textContent?.replace(/\s+/g, ' ').trim() ?? '';
  return {
    number: text('.number b'),
    label: text('.number span'),
    before: text('.number small'),
    corners: [...document.querySelectorAll('li')].map((corner) => [...corner.children].map((part) => part.textContent?.replace(/\s+/g, ' ').trim()).join(' ').replace(/✓(?! )/, '✓ ').replace(/✕(?! )/, '✕ ')),
    code: text('.sheet.there'),
    buttons: [...document.querySelectorAll('button')].filter((button) => !button.disabled).map((button) => button.firstChild?.textContent?.trim() ?? ''),
    where: text('.where'),
    notice: text('.notice, [role=alert]'),
  };
}
