import { execFileSync } from 'node:child_process';
import { complaints } from './axe';
import { NAIVE_BROKEN } from './names';
import { expect, native, test } from './playground';

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
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
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
  await expect(page.getByRole('button', { name: /^Scenario:/ })).toBeVisible();
});

test('a broken number opens the cases behind it, and a case its moment', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await playground.production.click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  await playground.pause();
  await page.getByRole('region', { name: 'Numbers' }).getByRole('listitem').getByRole('button').first().click();
  await expect(page.getByRole('tab', { name: 'Cases' })).toHaveAttribute('aria-selected', 'true');
  await playground.rest();
  const first = page.getByRole('tabpanel').getByRole('listitem').first();
  const moment = await first.getByRole('button').textContent();
  await first.getByRole('button').click();
  await expect(page.getByRole('tab', { name: 'Timeline' })).toHaveAttribute('aria-selected', 'true');
  await expect(playground.time).toHaveText(moment!);
});

test('the speaker’s window goes along, and its keys act on the projector', async ({ page, playground, context }) => {
  await playground.open();
  await playground.live();
  const speaker = await context.newPage();
  await speaker.goto(new URL('#speaker', page.url()).href);
  await expect(speaker.getByText('No talk is being given.')).toBeVisible();
  await page.bringToFront();
  await page.getByRole('button', { name: 'Present' }).click();
  await expect(speaker.getByText(/^0 of \d+$/)).toBeVisible();
  const next = await speaker.getByRole('region', { name: 'Next' }).getByRole('paragraph').first().textContent();
  await speaker.bringToFront();
  await speaker.keyboard.press('n');
  await expect(speaker.getByRole('heading', { level: 1 })).toHaveText(next!);
  const { beats } = await (await page.request.get('./scenarios/oversell.json')).json();
  await expect(speaker.getByText(beats[0].note)).toBeVisible();
  await expect(page.getByText(beats[0].note)).toBeHidden();
  await expect(page.getByText(/^1 of \d+$/)).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(next!);
  expect(await complaints(speaker)).toEqual([]);
});

test('tables show who has written and who holds a row, also in the past', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await page.getByRole('combobox', { name: 'How it is hardened' }).selectOption('row-lock');
  await page.getByRole('button', { name: /^Hardened, Row lock, Production/ }).click();
  await expect(page.getByRole('button', { name: /^Hardened, Row lock, Production: holds, \d\d+ requests/ })).toBeVisible();
  await playground.pause();
  await page.getByRole('tab', { name: 'Tables' }).click();
  await playground.rest();
  const tables = page.getByRole('region', { name: 'Tables at this moment' });
  await expect(tables.getByRole('columnheader', { name: 'stock' })).toBeVisible();
  // Somewhere in the first second somebody holds a row that others want.
  const held = tables.getByText(/^locked by request \d+, FOR UPDATE/);
  const scrubber = page.getByRole('slider', { name: 'Moment of the run' });
  for (let at = 40_000; at < 1_000_000 && !(await held.first().isVisible()); at += 20_000) {
    await scrubber.fill(String(at));
    await expect(playground.time).toHaveText(`${(at / 1_000_000).toFixed(3)} s`);
    await playground.rest();
  }
  await expect(held.first()).toBeVisible();
  await expect(tables.getByText(/by request \d+/).first()).toBeVisible();
});

test('two variants on the same traffic are laid beside each other', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await playground.production.click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  await page.getByRole('combobox', { name: 'Compare with another variant' }).selectOption('atomic-update');
  await expect(page.getByText(/^First difference: client \d+ asked with .*product_id 1.*Naive answered \d{3} at .*, Atomic UPDATE \d{3} at/)).toBeVisible();
  const moment = page.getByRole('status').filter({ hasText: 'First difference' }).getByRole('button');
  const at = await moment.textContent();
  await moment.click();
  await expect(playground.time).toHaveText(at!);
});

test('what stands behind the times is told', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await page.getByRole('button', { name: 'What is simulated' }).click();
  await expect(page.getByRole('tab', { name: 'What is simulated' })).toHaveAttribute('aria-selected', 'true');
  await expect(page.getByRole('heading', { name: 'What runs' })).toBeInViewport();
});

test('what a real server did with the same files stands beside what is predicted', async ({ page, playground }) => {
  await playground.open();
  const texts = page.getByRole('region', { name: 'Explanation' });
  await texts.getByRole('tab', { name: 'Does it really happen?' }).click();
  const naive = texts.getByRole('table').first();
  await expect(naive.getByRole('row', { name: /^More units of a deal were sold than there were broken, .* cases broken, .* cases$/ })).toBeVisible();
  await expect(texts.getByText(/PostgreSQL \d+.*psycopg/)).toBeVisible();
});

test('a solution holds for every seed, and the command line agrees', async ({ page, playground }) => {
  test.setTimeout(180_000);
  await playground.open('#money');
  await playground.live();
  const solved = await page.evaluate(async () => (await (await fetch('scenarios/money.json')).json()).variants[1].source as string);
  const turn = page.getByRole('complementary', { name: 'Your turn' });
  await turn.getByRole('button', { name: 'Prove it' }).click();
  await expect(turn.getByText('Seed 1 breaks it.')).toBeVisible();
  await playground.write(solved);
  await turn.getByRole('button', { name: 'Prove it' }).click();
  await expect(turn.getByText('It holds for all 20 seeds.')).toBeVisible({ timeout: 120_000 });
  await expect(turn.getByRole('heading')).toContainText('solved');
  const command = (await turn.getByRole('textbox', { name: 'Others can verify it' }).inputValue()).split(' ');
  expect(command.slice(0, 2)).toEqual(['twoam', 'replay']);
  expect(execFileSync(native, command.slice(1), { encoding: 'utf8' })).toContain('money is solved');
});
