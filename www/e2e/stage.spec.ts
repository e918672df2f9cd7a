import { expect, test } from './playground';

test('after the first visit the page works without a network', async ({ page, playground, context }) => {
  await playground.open();
  await playground.live();
  await page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready;
    if (active?.state !== 'activated') await new Promise((resolve) => active?.addEventListener('statechange', resolve));
  });
  await context.setOffline(true);
  await page.reload();
  await playground.live();
  await playground.production.click();
  await expect(playground.corner(/^Naive, Production: [\d,]+ broken/)).toBeVisible();
});

test('a talk goes from beat to beat by one key', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await page.getByRole('button', { name: 'Present' }).click();
  const place = page.getByText(/^\d+ of \d+$/);
  await expect(place).toHaveText(/^0 of/);
  const beats = Number((await place.textContent())!.split(' ').at(-1));
  for (let beat = 1; beat <= beats; beat++) {
    await page.keyboard.press('n');
    await expect(place).toHaveText(`${beat} of ${beats}`);
  }
  await page.keyboard.press('t');
  await expect(page.getByRole('combobox', { name: 'Scenario' })).toBeVisible();
});

test('a broken number opens the cases behind it, and a case its moment', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await playground.production.click();
  await expect(playground.corner(/^Naive, Production: [\d,]+ broken/)).toBeVisible();
  await playground.pause();
  await page.getByRole('region', { name: 'Numbers' }).getByRole('listitem').getByRole('button').first().click();
  await expect(page.getByRole('tab', { name: 'Cases' })).toHaveAttribute('aria-selected', 'true');
  const first = page.getByRole('tabpanel').getByRole('listitem').first();
  const moment = await first.getByRole('button').textContent();
  await first.getByRole('button').click();
  await expect(page.getByRole('tab', { name: 'Timeline' })).toHaveAttribute('aria-selected', 'true');
  await expect(playground.time).toHaveText(moment!);
});
