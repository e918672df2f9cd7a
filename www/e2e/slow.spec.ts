import { NAIVE_BROKEN } from './names';
import { expect, test as base } from './playground';
import { SlowLine } from './slow';

const test = base.extend<{ line: SlowLine }>({
  line: async ({}, use) => {
    const line = await SlowLine.start(process.env.BASE_URL!);
    await use(line);
    await line.close();
  },
  baseURL: async ({ line }, use) => use(line.address),
});

test('while bytes of the engine arrive the page waits for the rest, and says how far it is', async ({ page, playground, line }) => {
  await page.clock.install();
  line.bring(0.1);
  await playground.open();
  await expect(page.getByText(/while the engine loads \(10 %\)/)).toBeVisible();
  await page.clock.runFor(50_000);
  line.bring(0.6);
  await expect(page.getByText(/while the engine loads \(60 %\)/)).toBeVisible();
  await page.clock.runFor(50_000);
  line.bring(1);
  await playground.live();
});

test('a line that brings nothing more for a minute is given up, and the recorded runs stay', async ({ page, playground, line }) => {
  await page.clock.install();
  line.bring(0.1);
  await playground.open();
  await expect(page.getByText(/while the engine loads \(10 %\)/)).toBeVisible();
  await page.clock.runFor(61_000);
  await expect(page.getByText('Nothing of the engine has arrived for a minute')).toBeVisible();
  await playground.production.click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
});
