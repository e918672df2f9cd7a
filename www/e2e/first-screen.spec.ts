import { HARDENED_HOLDS, NAIVE_BROKEN, NAIVE_HOLDS } from './names';
import { expect, test } from './playground';

test('a recorded run is there before the engine is, and says so', async ({ page, playground }) => {
  await page.route('**/*.wasm', () => {});
  await playground.open();
  await expect(page.getByText('Recorded run, while the engine loads')).toBeVisible();
  await expect(playground.corner(NAIVE_HOLDS)).toBeVisible();
  await playground.production.click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  await playground.hardened.click();
  await expect(playground.corner(HARDENED_HOLDS)).toBeVisible();
});

test('every scenario opens, and breaks in production', async ({ page, playground }) => {
  test.setTimeout(180_000);
  await playground.open();
  await playground.live();
  // Some need most of a virtual minute until memory is full or a queue has grown.
  await page.getByRole('button', { name: 'max' }).click();
  const picker = page.getByRole('dialog', { name: 'What went wrong for you?' });
  const scenarios = picker.getByRole('region').filter({ hasNot: page.getByRole('button', { name: /^Console/ }) }).getByRole('button');
  await page.keyboard.press('s');
  await expect(picker).toBeVisible();
  const count = await scenarios.count();
  expect(count).toBeGreaterThan(30);
  await page.keyboard.press('Escape');
  await expect(picker).toBeHidden();
  for (let index = 0; index < count; index += 1) {
    await page.keyboard.press('s');
    await scenarios.nth(index).click();
    await expect(picker).toBeHidden();
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await expect(playground.corner(NAIVE_HOLDS)).toBeVisible();
    await playground.production.click();
    await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  }
});

test('a dialog that was left comes back at once', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  const picker = page.getByRole('dialog', { name: 'What went wrong for you?' });
  for (let round = 0; round < 5; round += 1) {
    await page.keyboard.press('s');
    await page.keyboard.press('Escape');
  }
  await expect(picker).toBeHidden();
  await page.keyboard.press('s');
  await expect(picker).toBeVisible();
});

test('a scenario is found by what went wrong, how hard it is and what it trains', async ({ page, playground }) => {
  await playground.open();
  await page.getByRole('button', { name: /^Scenario:/ }).click();
  const picker = page.getByRole('dialog', { name: 'What went wrong for you?' });
  await expect(picker.getByText('31 scenarios')).toBeVisible();
  await picker.getByRole('button', { name: 'It was slow', exact: true }).click();
  await picker.getByRole('button', { name: 'First steps', exact: true }).click();
  await picker.getByRole('button', { name: 'APIs', exact: true }).click();
  await expect(picker.getByText('31 scenarios')).toBeHidden();
  await expect(picker.getByRole('button', { name: /^Flash sale/ })).toBeHidden();
  await picker.getByRole('button', { name: /^One query per row/ }).click();
  await expect(picker).toBeHidden();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('pages that took longer than half a second');
  await expect(page.getByRole('button', { name: /^Reproduced on PostgreSQL \d+/ })).toBeVisible();
});

test('keys do what the list of keys says', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await page.keyboard.press('p');
  await expect(playground.production).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press('h');
  await expect(playground.hardened).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('r');
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
});

test('a paused run can be looked at step by step, back and on', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await playground.production.click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  await playground.pause();
  const before = await playground.time.textContent();
  await page.getByRole('button', { name: 'One step back' }).click();
  await expect(playground.time).not.toHaveText(before!);
  const past = await playground.time.textContent();
  await page.getByRole('button', { name: 'One step on' }).click();
  await expect(playground.time).not.toHaveText(past!);
});

test('on a phone the page fits, and the two toggles are in reach', async ({ page, playground }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await playground.open();
  await playground.live();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  const dock = page.getByRole('contentinfo', { name: 'Transport' });
  await dock.getByRole('button', { name: 'Production' }).click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  await dock.getByRole('button', { name: 'Hardened' }).click();
  await expect(playground.corner(HARDENED_HOLDS)).toBeVisible();
});
