// On a phone a finger hits what it is put on: every control answers within 20 px around its middle.

import type { Page } from '@playwright/test';
import { NAIVE_BROKEN } from './names';
import { expect, test } from './playground';

test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

test('every control is at least 40 px high and wide', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await page.getByRole('contentinfo', { name: 'Transport' }).getByRole('button', { name: 'Production' }).tap();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  await playground.pause();
  expect.soft(await small(page), 'first screen').toEqual([]);

  for (const list of ['Files', 'Views', 'Explanation']) {
    for (const tab of await page.getByRole('tablist', { name: list }).getByRole('tab').all()) {
      await tab.tap();
      expect.soft(await small(page), `${list}: ${await tab.textContent()}`).toEqual([]);
    }
  }

  // It lies over the end of the page.
  const more = page.getByRole('button', { name: /: speed and reset$/ });
  await more.tap();
  expect.soft(await small(page, 'footer'), 'speeds').toEqual([]);
  await more.tap();
  await playground.menu('Share');
  await expect(page.getByLabel('Link to this run')).toHaveValue(/#v\d\./);
  expect.soft(await small(page), 'share').toEqual([]);
});

for (const [what, hash] of [['faults to switch', '#double-submit'], ['the console', '#console']] as const) {
  test(`so is every control of ${what}`, async ({ page, playground }) => {
    await playground.open(hash);
    await expect(page.getByRole('button', { name: /^Run step 1|^Play|^Pause/ }).first()).toBeEnabled();
    expect(await small(page)).toEqual([]);
  });
}

test('so is every control of the list of scenarios', async ({ page, playground }) => {
  await playground.open();
  await page.getByRole('button', { name: /^Scenario:/ }).tap();
  await expect(page.getByRole('dialog')).toBeVisible();
  expect(await small(page)).toEqual([]);
});

/** Controls whose middle, or a point 19 px from it, belongs to something else. Links in running text are as high as it. */
function small(page: Page, within = 'body'): Promise<string[]> {
  return page.evaluate((within) => {
    const found = [];
    for (const control of (document.querySelector('dialog[open]') ?? document.querySelector(within)!).querySelectorAll<HTMLElement>('button, select, input, summary, a[href], [role="tab"]')) {
      if (!control.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) || control.matches(':disabled, .unseen')) continue;
      if (control.matches('a') && control.parentElement!.innerText.trim() !== control.innerText.trim()) continue;
      control.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
      const target = control.closest('label') ?? control;
      const { x, y, width, height } = control.getBoundingClientRect();
      const [middle, centre] = [x + width / 2, y + height / 2];
      const missed = [[0, 0], [0, -19], [0, 19], [-19, 0], [19, 0]].filter(([right, down]) => {
        const hit = document.elementFromPoint(middle + right!, centre + down!);
        return !hit || !(target.contains(hit) || hit.closest('label')?.control === control);
      });
      if (missed.length > 0) found.push(`${control.tagName} ${(control.getAttribute('aria-label') ?? control.innerText.trim()) || control.title}: ${Math.round(width)} × ${Math.round(height)}, ${JSON.stringify(missed)}`);
    }
    return found;
  }, within);
}
