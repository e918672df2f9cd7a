import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from './playground';

for (const scheme of ['dark', 'light'] as const) {
  for (const width of [360, 1280]) {
    test(`nothing for axe to find: ${scheme}, ${width} px`, async ({ page, playground }) => {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 800 });
      await playground.open();
      await playground.live();
      await page.keyboard.press('p');
      await expect(playground.corner(/^Naive, Production: [\d,]+ broken/)).toBeVisible();
      await page.keyboard.press('h');
      await playground.pause();
      await expect(playground.editor).toBeVisible();
      const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)).toEqual([]);
    });
  }
}

test('every view has its tab, and the tabs go by arrow keys', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  const tabs = page.getByRole('tablist', { name: 'Views' }).getByRole('tab');
  await tabs.first().focus();
  for (let index = 1; index < (await tabs.count()); index++) {
    await page.keyboard.press('ArrowRight');
    await expect(tabs.nth(index)).toHaveAttribute('aria-selected', 'true');
  }
});

test('with reduced motion nothing starts by itself', async ({ page, playground }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await playground.open();
  await playground.live();
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
});
