// With forced colours no background tells anything: what is chosen, what runs and what a colour stands for has to
// differ all the same.

import type { Locator } from '@playwright/test';
import { NAIVE_BROKEN } from './names';
import { expect, test } from './playground';

for (const colorScheme of ['dark', 'light'] as const) {
  test.describe(colorScheme, () => {
    // In the other theme than the system's palette: that one has to win.
    test.use({ contextOptions: { forcedColors: 'active' }, colorScheme });

    test('what is chosen, where clients stand and what a swatch means can be told apart', async ({ page, playground }, info) => {
      await page.addInitScript((theme) => localStorage.setItem('twoam.theme', theme), colorScheme === 'dark' ? 'light' : 'dark');
      await playground.open();
      await playground.live();
      await playground.production.click();
      await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
      await playground.pause();
      // At some moments nobody stands on any line.
      const stood = playground.code.getByText(/on line \d+/);
      while (!(await stood.isVisible())) await playground.stepOn();
      const active = playground.code.locator('.lit').first();
      await expect(active).toBeVisible();
      await page.screenshot({ path: info.outputPath('forced-colours.png'), fullPage: true });

      const chosen = page.locator('[aria-pressed="true"], [aria-selected="true"]').filter({ visible: true });
      expect(await chosen.count()).toBeGreaterThan(4);
      for (const one of await chosen.all()) {
        const other = one.locator('xpath=(preceding-sibling::*|following-sibling::*)[@aria-pressed="false" or @aria-selected="false"]').first();
        expect(await looks(one), await one.evaluate((it) => it.outerHTML)).not.toEqual(await looks(other));
      }

      const idle = playground.code.locator('.line:not(.lit), .cm-line:not(.lit)').first();
      expect(await looks(active), 'in the text').not.toEqual(await looks(idle));
      await playground.openEditor();
      expect(await looks(active), 'in the editor').not.toEqual(await looks(idle));

      const swatches = await page.locator('.legend li').evaluateAll((all) =>
        all.map((one) => {
          const { backgroundColor, backgroundImage, border, height } = getComputedStyle(one, '::before');
          return { backgroundColor, backgroundImage, border, height };
        }),
      );
      const canvas = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      for (const { backgroundColor, border } of swatches) {
        const painted = [backgroundColor, ...(border.startsWith('0px') ? [] : [border.replace(/^.*?(?=rgb|color)/, '')])];
        expect(painted.some((colour) => ![canvas, 'rgba(0, 0, 0, 0)'].includes(colour)), `${painted} on ${canvas}`).toBe(true);
      }
      expect(new Set(swatches.map((one) => JSON.stringify(one))).size).toBe(swatches.length);
    });
  });
}

/** All that forced colours leave to tell one thing from another. */
function looks(what: Locator) {
  return what.evaluate((it) => {
    const { backgroundColor, color, outline, borderBottomColor } = getComputedStyle(it);
    return { backgroundColor, color, outline, borderBottomColor };
  });
}
