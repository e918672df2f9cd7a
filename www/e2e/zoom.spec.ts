// At 200 % a window of 1280 × 800 has 640 × 400 of the page's pixels left.

import { NAIVE_BROKEN } from './names';
import { expect, test } from './playground';

test.use({ viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 });

test('at 200 % nothing is cut off, and what has the focus is in sight', async ({ page, playground }, info) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto('./');
  await playground.live();
  await page.keyboard.press('p');
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  // Not by a click: the focus shall begin at the top.
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
  await page.screenshot({ path: info.outputPath('zoomed.png') });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);

  const hidden: string[] = [];
  let stops = 0;
  for (; stops < 200; stops += 1) {
    await page.keyboard.press('Tab');
    const state = await page.evaluate(() => {
      const focused = document.activeElement!;
      if (focused === document.body) return null;
      const { x, y, width, height } = focused.getBoundingClientRect();
      // Of what is higher than the screen, the part that is on it.
      const [top, bottom] = [Math.max(y, 0), Math.min(y + height, innerHeight)];
      const hit = document.elementFromPoint(x + width / 2, (top + bottom) / 2);
      const seen = bottom > top && hit !== null && (focused.contains(hit) || hit.closest('label')?.contains(focused));
      return { seen, name: focused.getAttribute('aria-label') ?? focused.textContent!.trim().slice(0, 40) };
    });
    if (!state) break;
    if (!state.seen) hidden.push(state.name);
  }
  expect(stops).toBeGreaterThan(30);
  expect(stops).toBeLessThan(200);
  expect(hidden).toEqual([]);
});
