// A talk on the projector as the tests see it, and what is wrong with what it shows.

import type { Page } from '@playwright/test';
import type { ScenarioDocument } from '../src/core/types';
import { expect } from './playground';

const VIEWS = { timeline: 'Timeline', locks: 'Locks', tables: 'Tables', cases: 'Cases', queries: 'Queries', log: 'Log' };

export class Projector {
  constructor(readonly page: Page) {}

  get stage() {
    return this.page.getByRole('main');
  }

  get place() {
    return this.stage.getByText(/^\d+ of \d+$/);
  }

  async open(scenario: string, beat?: number) {
    await this.page.goto(`./#${scenario}/talk${beat === undefined ? '' : `/${beat}`}`);
    await this.stands(beat ?? 0);
  }

  /** It shows a beat, counted from 1, and nothing moves any more. */
  async stands(beat: number) {
    await expect(this.place).toHaveText(new RegExp(`^${beat} of `));
    await expect(this.stage).toHaveAttribute('aria-busy', 'false');
  }

  /** By a clicker's key to the next beat or the one before, and at once to where it stops. */
  async press(key: 'PageDown' | 'PageUp', beat: number) {
    await this.page.keyboard.press(key);
    await expect(this.place).toHaveText(new RegExp(`^${beat} of `));
    await this.page.keyboard.press('End');
    await this.stands(beat);
  }

  /** Everything that can be seen, for comparing. */
  async picture(): Promise<string> {
    return this.stage.evaluate((stage) => {
      const drawn = [...stage.querySelectorAll('svg')].map((svg) => svg.outerHTML);
      const painted = [...stage.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL());
      return [(stage as HTMLElement).innerText, ...drawn, ...painted].join('\n');
    });
  }

  /** What the sentence names and the screen does not show; beats count from 0. */
  async faults(document: ScenarioDocument, beat: number): Promise<string[]> {
    const { sentence, at } = document.beats[beat]!;
    const { picture, lines, deployed } = document.scenes[beat]!;
    const seen = await this.stage.evaluate(look as (stage: Element, named: number[]) => ReturnType<typeof look>, lines?.lines ?? []);
    const file = lines?.file ?? document.variants.find(({ id }) => id === deployed)!.file;
    const metric = picture.kind === 'chart' ? document.metrics.find(({ id }) => id === picture.metric)! : null;
    const heading = metric ? metric.label : picture.kind === 'view' ? VIEWS[picture.view] : VIEWS.cases;
    const deadlock = at === 'deadlock' || (at === null && beat > 0 && document.beats[beat - 1]!.until === 'deadlock');
    const numbers = sentence.match(/(?<![\w.,])\d[\d,.]*\d|(?<![\w.,])\d(?![\w])/g) ?? [];
    const wrong: [boolean, string][] = [
      [seen.sentence !== sentence, `the sentence is “${seen.sentence}”`],
      [seen.clipped.length > 0, `cut off: ${seen.clipped.join(', ')}`],
      [seen.scrolls, 'the page scrolls'],
      [seen.file !== file, `the code is ${seen.file}, not ${file}`],
      [seen.hidden.length > 0, `named lines that are not in view: ${seen.hidden.join(', ')}`],
      [seen.heading.toLowerCase() !== heading.toLowerCase(), `the picture is “${seen.heading}”, not “${heading.charAt(0).toUpperCase()}${heading.slice(1)}”`],
      [seen.empty, 'the picture is empty'],
      [seen.wide, 'the picture is wider than its place'],
      [deadlock && picture.kind === 'view' && picture.view === 'locks' && !seen.beside.includes('✕ deadlock'), 'there is no ring in the lock view'],
      [at === 'busiest' && seen.standing < 2, `${seen.standing} clients stand on the named lines`],
      ...numbers.map((number): [boolean, string] => [!new RegExp(`(?<![\\d.,])${number.replaceAll('.', '\\.')}(?!\\d|[.,]\\d)`).test(seen.beside), `“${number}” is nowhere on the screen`]),
    ];
    return wrong.flatMap(([is, what]) => (is ? [`${document.summary.id}, beat ${beat + 1}: ${what}`] : []));
  }
}

function look(stage: HTMLElement, named: number[]) {
  const inside = (inner: DOMRect, outer: DOMRect) => inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1 && inner.left >= outer.left - 1 && inner.right <= outer.right + 1;
  const screen = new DOMRect(0, 0, innerWidth, innerHeight);
  const heading = stage.querySelector('h1')!;
  const code = stage.querySelector<HTMLElement>('[aria-label="Code"]')!;
  const picture = stage.querySelector<HTMLElement>('[aria-label="Picture"]')!;
  const sheet = code.querySelector('pre')!;
  const lineAt = (line: number) => sheet.querySelector<HTMLElement>(`[data-line="${line}"]`);
  const plot = picture.querySelector('svg[role="img"]');
  const labels = plot ? [...plot.querySelectorAll('text')].filter((label) => !inside(label.getBoundingClientRect(), plot.getBoundingClientRect())) : [];
  const parts = [heading, code, picture, ...stage.querySelectorAll<HTMLElement>('footer, footer button')];
  const cut = parts.filter((part) => !inside(part.getBoundingClientRect(), screen) || (part === heading && part.scrollHeight > part.clientHeight + 1));
  const beside = [...stage.children].filter((part) => part !== heading).map((part) => (part as HTMLElement).innerText).join('\n');
  return {
    sentence: heading.innerText,
    clipped: [...cut, ...labels].map((part) => (part.textContent ?? '').slice(0, 40)),
    scrolls: document.documentElement.scrollHeight > innerHeight,
    file: code.querySelector('h2 span')!.textContent,
    hidden: named.filter((line) => {
      const row = lineAt(line);
      return !row || !inside(row.getBoundingClientRect(), sheet.getBoundingClientRect());
    }),
    standing: named.reduce((sum, line) => sum + Number(lineAt(line)?.querySelector('.count')?.textContent || 0), 0),
    heading: picture.querySelector('h2')?.innerText ?? '',
    wide: [picture, ...picture.querySelectorAll('*')].some((part) => !part.matches('.unseen') && part.scrollWidth > part.clientWidth + 1 && ['auto', 'scroll', 'hidden'].includes(getComputedStyle(part).overflowX)),
    empty: picture.querySelector('.empty') !== null || picture.querySelector('.hero')?.textContent?.trim().startsWith('–') === true,
    beside,
  };
}
