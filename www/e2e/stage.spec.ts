import { execFileSync } from 'node:child_process';
import { complaints } from './axe';
import { NAIVE_BROKEN } from './names';
import { expect, native, test } from './playground';
import { Projector } from './stage';

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
  await page.keyboard.press('t');
  const projector = new Projector(page);
  await projector.press('PageDown', 1);
});

test('a talk goes from beat to beat by one key', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await page.getByRole('button', { name: 'Present' }).click();
  const { place } = new Projector(page);
  await expect(place).toHaveText(/^0 of/);
  const beats = Number((await place.textContent())!.split(' ').at(-1));
  for (let beat = 1; beat <= beats; beat++) {
    await page.keyboard.press(beat % 2 ? 'n' : 'PageDown');
    await expect(place).toHaveText(`${beat} of ${beats}`);
  }
  await page.keyboard.press('PageDown');
  await expect(place).toHaveText(`${beats} of ${beats}`);
  await page.keyboard.press('t');
  await expect(page.getByRole('button', { name: /^Scenario:/ })).toBeVisible();
});

test('a beat that was played shows what one shows that was skipped to its end', async ({ page, playground: _ }) => {
  const projector = new Projector(page);
  await projector.open('oversell', 2);
  await page.keyboard.press('PageDown');
  await expect(projector.stage.getByText('6.000 s')).toBeVisible();
  await projector.stands(3);
  const played = await projector.picture();
  await page.keyboard.press('r');
  await page.keyboard.press('End');
  await projector.stands(3);
  expect(await projector.picture()).toBe(played);
});

test('whatever a speaker tries, the next beat brings the script back', async ({ page, playground: _ }) => {
  const projector = new Projector(page);
  await projector.open('oversell', 4);
  await projector.press('PageDown', 5);
  const scripted = await projector.picture();
  await projector.press('PageUp', 4);
  await page.keyboard.press('3');
  await expect(projector.stage.getByRole('heading', { name: 'Tables' })).toBeVisible();
  await page.keyboard.press('0');
  await expect(projector.stage.getByRole('heading', { name: 'Locks' })).toBeVisible();
  // Hardened code, running on, on one's own machine.
  await page.keyboard.press('h');
  await page.keyboard.press(' ');
  await page.keyboard.press('p');
  await expect(projector.stage.getByText('My machine')).toBeVisible();
  await projector.press('PageDown', 5);
  expect(await projector.picture()).toBe(scripted);
});

test('the address holds the beat, reloading keeps it, and Back leaves the talk', async ({ page, playground }) => {
  await playground.open('#deadlock');
  await playground.live();
  await page.keyboard.press('t');
  const projector = new Projector(page);
  await projector.press('PageDown', 1);
  await projector.press('PageDown', 2);
  expect(new URL(page.url()).hash).toBe('#deadlock/talk/2');
  await page.reload();
  await projector.stands(2);
  await page.goBack();
  await expect(page.getByRole('button', { name: /^Scenario:/ })).toBeVisible();
  expect(new URL(page.url()).hash).toBe('#deadlock');
  await page.goForward();
  await projector.stands(2);
});

test('an address of a beat that is not there opens the last one', async ({ page, playground: _ }) => {
  const projector = new Projector(page);
  await page.goto('./#oversell/talk/99');
  await projector.stands(8);
  expect(new URL(page.url()).hash).toBe('#oversell/talk/8');
});

test('a talk shows the scenario’s own code, and the reader’s edits are there after it', async ({ page, playground }) => {
  await playground.open('#oversell');
  await playground.live();
  await playground.write('"""Edited."""\n');
  await page.getByRole('button', { name: 'Present' }).click();
  const projector = new Projector(page);
  await projector.press('PageDown', 1);
  await expect(projector.stage.getByRole('region', { name: 'Code' })).toContainText('Never sell more than we have.');
  await projector.stage.getByRole('button', { name: 'End the talk' }).click();
  await expect(playground.code).toContainText('Edited.');
});

test('after a click on a button or a tab the keys are the page’s', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await page.getByRole('tab', { name: 'Cases' }).click();
  await page.keyboard.press(' ');
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Keys' }).focus();
  await page.keyboard.press('2');
  await expect(page.getByRole('tab', { name: 'Locks' })).toHaveAttribute('aria-selected', 'true');
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.keyboard.press(' ');
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
  // Chosen by keys, a button is pressed by the space bar as everywhere.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press(' ');
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
});

test('on a projector every letter can be read from the last row', async ({ page, playground: _ }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
  const projector = new Projector(page);
  for (const beat of [3, 4]) {
    await projector.open('oversell', beat);
    const sizes = await projector.stage.evaluate((stage) => {
      const letters = document.createTreeWalker(stage, NodeFilter.SHOW_TEXT);
      const found: { size: number; code: boolean; text: string }[] = [];
      for (let node = letters.nextNode(); node; node = letters.nextNode()) {
        const parent = node.parentElement!;
        if (node.textContent!.trim() === '' || parent.closest('.unseen')) continue;
        found.push({ size: parseFloat(getComputedStyle(parent).fontSize), code: parent.closest('pre') !== null, text: node.textContent!.trim() });
      }
      return found;
    });
    expect(sizes.filter(({ size, code }) => size < (code ? 24 : 18))).toEqual([]);
    expect(await complaints(page)).toEqual([]);
  }
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
  await expect(speaker.getByText('No talk is running.')).toBeVisible();
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
  const [, handler] = /async def (\w+)\(/.exec(solved)!;
  await playground.write(`async def ${handler}(conn, request):\n    return {"status": 409}\n`);
  await turn.getByRole('button', { name: 'Prove it' }).click();
  await expect(turn.getByText('It does nothing useful: with seed 1')).toBeVisible();
  await playground.write(`async def ${handler}(conn, request):\n    return {"status": 201}\n`);
  await turn.getByRole('button', { name: 'Prove it' }).click();
  await expect(turn.getByText('It is not measured: with seed 1')).toBeVisible();
  await expect(turn.getByRole('heading')).not.toContainText('solved');
  await playground.write(solved);
  await turn.getByRole('button', { name: 'Prove it' }).click();
  await expect(turn.getByText('It holds for all 20 seeds.')).toBeVisible({ timeout: 120_000 });
  await expect(turn.getByRole('heading')).toContainText('solved');
  const command = (await turn.getByRole('textbox', { name: 'Others can verify it' }).inputValue()).split(' ');
  expect(command.slice(0, 2)).toEqual(['twoam', 'replay']);
  expect(execFileSync(native, command.slice(1), { encoding: 'utf8' })).toContain('money is solved');
});
