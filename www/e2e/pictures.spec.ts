import { NAIVE_BROKEN } from './names';
import { expect, test } from './playground';

// Kept with the results of the test run, for people to look at.
for (const { scheme, width } of [
  { scheme: 'dark', width: 1280 },
  { scheme: 'light', width: 1280 },
  { scheme: 'dark', width: 360 },
  { scheme: 'light', width: 360 },
] as const) {
  test(`every view fits, and is kept as a picture: ${scheme}, ${width} px`, async ({ page, playground }, info) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 800 });
    const keep = async (name: string) => {
      await page.screenshot({ path: info.outputPath(`${name}.png`) });
      const excess = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(excess, `${name} is wider than the screen`).toBeLessThanOrEqual(0);
    };

    await playground.open();
    await playground.live();
    await page.keyboard.press('p');
    await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
    await playground.pause();
    await keep('first-screen');
    for (const list of ['Views', 'Explanation']) {
      for (const tab of await page.getByRole('tablist', { name: list }).getByRole('tab').all()) {
        await tab.click();
        await tab.evaluate((it) => it.scrollIntoView({ block: 'start' }));
        await keep(`${list.toLowerCase()}-${(await tab.textContent())!.toLowerCase().replace(/\W+/g, '-')}`);
      }
    }
    await page.evaluate(() => scrollTo(0, 0));
    await playground.menu('Share');
    await expect(page.getByLabel('Link to this run')).toHaveValue(/#v\d\./);
    await keep('share');
    await page.keyboard.press('s');
    await expect(page.getByRole('dialog')).toBeVisible();
    await keep('picker');
    await page.getByRole('dialog').getByRole('button', { name: /^Console/ }).click();
    await expect(page.getByRole('region', { name: 'Session A' })).toBeVisible();
    await keep('console');
  });
}
