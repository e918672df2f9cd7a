// What a stranger sees who does nothing, and how a reader takes over.

import type { Page } from '@playwright/test';
import { HARDENED_HOLDS, MACHINE, NAIVE_BROKEN } from './names';
import { expect, test } from './playground';

const headline = (page: Page) => page.getByRole('heading', { level: 1 });
const collision = (page: Page) => page.getByRole('region', { name: 'First collision' });
const stop = (page: Page) => page.getByRole('button', { name: 'Stop', exact: true });

for (const [what, width, engine] of [
  ['with the engine', 1280, true],
  ['from recorded runs alone', 1280, false],
  ['on a phone', 360, true],
] as const) {
  test(`who does nothing sees it break and mended, ${what}`, async ({ page, playground }) => {
    if (!engine) await page.route('**/*.wasm', () => {});
    await page.setViewportSize({ width, height: 740 });
    await page.goto('./');
    await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
    await expect(playground.corner(HARDENED_HOLDS)).toBeVisible();
    await expect(stop(page)).toBeHidden();
    await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
    // The number in the headline is the one in the corner, and the fix has added nothing to it.
    const number = /[\d,]+/.exec((await headline(page).textContent())!)![0];
    expect(number).not.toBe('0');
    await expect(playground.corner(new RegExp(`^Naive, Production: broken, ${number} units sold that do not exist$`))).toBeVisible();
    await expect(page.getByText(/^0 since Atomic UPDATE was deployed at \d+\.\d s$/)).toBeVisible();
  });
}

test('the first collision shows what both read and wrote', async ({ page, playground }) => {
  await page.goto('./');
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  const drawn = await collision(page).getByRole('img').getAttribute('aria-label');
  const [read, again] = [...drawn!.matchAll(/client \d+ reads stock (\d+)/g)].map(([, stock]) => stock);
  expect(read).toBe(again);
  expect(drawn).toMatch(/client \d+ writes stock \d+; .*client \d+ writes stock \d+/);
  await expect(collision(page).getByText(`Both read stock ${read}.`, { exact: false })).toBeVisible();
});

test('it stops where the reader stops it', async ({ page, playground }) => {
  await page.goto('./');
  await stop(page).click();
  await expect(stop(page)).toBeHidden();
  await playground.rest();
  const stands = await playground.time.textContent();
  await playground.live();
  await playground.rest();
  await expect(playground.time).toHaveText(stands!);
});

test('whatever a reader presses ends it', async ({ page, playground }) => {
  await page.goto('./');
  await expect(stop(page)).toBeVisible();
  await playground.corner(MACHINE).click();
  await expect(stop(page)).toBeHidden();
  await page.getByRole('button', { name: 'Show me' }).click();
  await expect(stop(page)).toBeVisible();
  await page.keyboard.press('p');
  await expect(stop(page)).toBeHidden();
});

test('a reader says what will happen, and is told once it has', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  const question = page.getByRole('complementary').filter({ hasText: 'What happens with 200 buyers?' });
  await expect(question.getByText(/^Right\. /)).toBeHidden();
  await question.getByRole('button', { name: /^The second buyer gets a serialization error/ }).click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  await expect(question.getByText(/^No\. /)).toBeVisible();
  await expect(question.getByRole('button', { name: /both write the same new value/ })).toBeVisible();
});

test('the one filled button says what comes next', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await page.getByRole('button', { name: 'Put production on it' }).click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  await page.getByRole('button', { name: 'Deploy the fix' }).click();
  await expect(playground.corner(HARDENED_HOLDS)).toBeVisible();
  await page.getByRole('button', { name: 'Put the naive code back' }).click();
  await expect(page.getByRole('button', { name: 'Deploy the fix' })).toBeVisible();
});
