import { expect, test } from './playground';

test('a link opens the same run at the same moment, with its edit', async ({ page, playground, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await playground.open();
  await playground.live();
  await playground.production.click();
  await expect(playground.corner(/^Naive, Production: [\d,]+ broken/)).toBeVisible();
  await playground.hardened.click();
  await expect(playground.corner(/^Hardened, .*, Production: holds/)).toBeVisible();
  await playground.pause();
  const moment = await playground.time.textContent();
  // Whole-run figures: what is counted since a deploy starts at the frame that saw it.
  const figures = page.getByRole('region', { name: 'Numbers' }).locator('dl');
  const numbers = await figures.innerText();
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await expect(page.getByLabel('Link to this run')).toHaveValue(/#v1\./);
  const link = page.url();
  await expect(page.getByRole('button', { name: /^Copied.*Link/ })).toBeVisible();
  await expect(page.getByLabel('The same run on the command line')).toHaveValue(/^twoam run \S+ --replay /);

  await page.goto('about:blank');
  await page.goto(link);
  await playground.live();
  await expect(playground.time).toHaveText(moment!);
  await expect(playground.hardened).toHaveAttribute('aria-pressed', 'true');
  await expect.poll(() => figures.innerText()).toBe(numbers);
});

for (const [what, hash, words] of [
  ['damaged', '#v1.AAAA', 'damaged'],
  ['of another version', '#v77.xyz', 'another version'],
] as const) {
  test(`a link that is ${what} opens the scenario with a notice`, async ({ page, playground }) => {
    await playground.open(hash);
    await expect(page.getByText(words)).toBeVisible();
    await expect(playground.corner(/^Naive, My machine: holds/)).toBeVisible();
    await page.getByRole('button', { name: 'Close' }).click();
    await expect(page.getByText(words)).toBeHidden();
  });
}
