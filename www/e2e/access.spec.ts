import { complaints } from './axe';
import { HARDENED_HOLDS, NAIVE_BROKEN } from './names';
import { expect, test } from './playground';

for (const scheme of ['dark', 'light'] as const) {
  for (const width of [360, 1280]) {
    test(`nothing for axe to find: ${scheme}, ${width} px`, async ({ page, playground }) => {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 800 });
      await playground.open();
      await playground.live();
      expect(await complaints(page), 'nothing has run in production').toEqual([]);
      await page.keyboard.press('p');
      await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
      await page.keyboard.press('h');
      await expect(playground.corner(HARDENED_HOLDS)).toBeVisible();
      await playground.pause();
      expect(await complaints(page), 'first screen').toEqual([]);
      await playground.openEditor();
      expect(await complaints(page, '[aria-label="Code"]'), 'editor').toEqual([]);
      // Every state is looked at once in each theme and once in each width.
      if ((scheme === 'dark') !== (width === 360)) return;

      for (const [list, panel] of [['Views', '#view'], ['Explanation', '[aria-label="Explanation"]']] as const) {
        for (const tab of await page.getByRole('tablist', { name: list }).getByRole('tab').all()) {
          await tab.click();
          expect(await complaints(page, panel), `${list}: ${await tab.textContent()}`).toEqual([]);
        }
      }

      // Naive code sells on where the hardened one is sold out: the run goes on until that has come about.
      await playground.production.click();
      await page.getByRole('combobox', { name: 'Compare with another variant' }).selectOption('atomic-update');
      await expect(page.getByRole('status').filter({ hasText: 'First difference' })).toBeVisible();
      await playground.pause();
      expect(await complaints(page, '[aria-label="Numbers"]'), 'comparison').toEqual([]);

      await page.getByRole('button', { name: /^Scenario:/ }).click();
      expect(await complaints(page, 'dialog'), 'list of scenarios').toEqual([]);
      await page.keyboard.press('Escape');

      await playground.menu('Share');
      await expect(page.getByLabel('Link to this run')).toHaveValue(/#v\d\./);
      expect(await complaints(page, '[aria-label="Share"]'), 'share').toEqual([]);
      await page.getByRole('button', { name: 'Close' }).click();

      await playground.write('async def buy(conn, request)\n');
      await page.getByRole('button', { name: 'Deploy edit' }).click();
      await expect(page.getByText(/^✕ Line 1: /)).toBeVisible();
      expect(await complaints(page, '[aria-label="Code"]'), 'code that does not compile').toEqual([]);

      await page.getByRole('region', { name: 'Numbers' }).click();
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
      expect(await complaints(page, 'dialog'), 'keys').toEqual([]);
      await page.keyboard.press('t');
      await page.keyboard.press('n');
      await expect(page.getByText(/^1 of \d+$/)).toBeVisible();
      expect(await complaints(page), 'talk').toEqual([]);
    });
  }
}

for (const [scheme, width] of [['dark', 360], ['light', 1280]] as const) {
  test(`a page says what this is, and leads to every scenario: ${scheme}, ${width} px`, async ({ page, playground }, info) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 800 });
    await page.goto('./about.html');
    await expect(page.getByRole('row', { name: /^Naive/ })).toContainText(/✓ holds.*✕ [\d,]+/);
    expect(await complaints(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.screenshot({ path: info.outputPath('about.png') });
    const links = page.getByRole('region', { name: /scenarios, by what you felt$/ }).getByRole('link');
    expect(await links.count()).toBeGreaterThan(30);
    for (const link of await links.all()) {
      const href = await link.evaluate((it) => (it as HTMLAnchorElement).href);
      expect((await page.request.get(href)).ok(), href).toBe(true);
    }
    await page.getByRole('link', { name: 'Run it' }).click();
    await playground.live();
  });
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
  await page.goto('./');
  await playground.live();
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
});
