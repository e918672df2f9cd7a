import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { HARDENED_HOLDS, NAIVE_BROKEN, NAIVE_HOLDS } from './names';
import { expect, test } from './playground';

test('a link opens the same run at the same moment, with its edit', async ({ page, playground, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await playground.open();
  await playground.live();
  await playground.production.click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  await playground.openEditor();
  await page.keyboard.press('Control+Home');
  await page.keyboard.insertText('# Reviewed at 2 AM.\n');
  await page.getByRole('button', { name: 'Deploy edit' }).click();
  await playground.hardened.click();
  await expect(playground.corner(HARDENED_HOLDS)).toBeVisible();
  await playground.pause();
  await playground.menu('Share');
  await expect(page.getByLabel('Link to this run')).toHaveValue(/#v1\./);
  const moment = await playground.time.textContent();
  // Whole-run figures: what is counted since a deploy starts at the frame that saw it.
  const figures = page.getByRole('region', { name: 'Numbers' }).locator('dl');
  const numbers = (await figures.textContent())!;
  const link = page.url();
  await page.getByRole('button', { name: /^Copy.*Link to this run/ }).click();
  await expect(page.getByRole('button', { name: /^Copied.*Link to this run/ })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await expect(page.getByLabel('The same run on the command line')).toHaveValue(/^twoam run \S+ --replay /);

  // What this browser keeps of the edit is not what the link holds.
  await page.evaluate(() => localStorage.clear());
  await page.goto('about:blank');
  await page.goto(link);
  await playground.live();
  await expect(playground.time).toHaveText(moment!);
  await expect(playground.hardened).toHaveAttribute('aria-pressed', 'true');
  await expect(figures).toHaveText(numbers);
  await expect(page.getByText('comes out differently')).toBeHidden();
  await page.keyboard.press('h');
  await expect(playground.code).toContainText('# Reviewed at 2 AM.');
});

for (const [what, hash, words] of [
  ['damaged', '#v1.AAAA', 'damaged'],
  ['of another version', '#v77.xyz', 'another version'],
] as const) {
  test(`a link that is ${what} opens the scenario with a notice`, async ({ page, playground }) => {
    await playground.open(hash);
    await expect(page.getByText(words)).toBeVisible();
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await expect(playground.corner(NAIVE_HOLDS)).toBeVisible();
    await page.getByRole('button', { name: 'Close' }).click();
    await expect(page.getByText(words)).toBeHidden();
  });
}

test('a link whose run comes out differently here says so', async ({ page, playground }) => {
  await playground.open(link({ s: 'oversell', v: 'naive', e: 'production', n: 1, k: {}, f: {}, c: [], t: 500_000, g: '00000000', h: '0000000000000000' }));
  await playground.live();
  await expect(page.getByText('This link was made with another version of the engine, and the run comes out differently here')).toBeVisible();
});

test('the numbers can be saved as a picture, the trace as a file', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await playground.pause();
  await playground.menu('Share');
  const [picture] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the numbers as PNG' }).click()]);
  expect(picture.suggestedFilename()).toBe('oversell.png');
  const bytes = readFileSync(await picture.path());
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  expect(bytes.length).toBeGreaterThan(10_000);
  const [trace] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the trace as JSON' }).click()]);
  expect(JSON.parse(readFileSync(await trace.path(), 'utf8')).events.length).toBeGreaterThan(0);
});

test('a scenario has a page of its own, which says in previews what it is', async ({ page, playground }) => {
  await playground.open('deadlock.html');
  await expect(page).toHaveTitle('Two transfers that wait for each other · 2 AM');
  const hook = /^Ann pays Bob while Bob pays Ann\./;
  await expect(page.getByRole('region', { name: 'Scenario' }).getByText(hook)).toBeVisible();
  for (const name of ['meta[name="description"]', 'meta[property="og:description"]']) await expect(page.locator(name)).toHaveAttribute('content', hook);
  await playground.menu('Share');
  await expect(page.getByLabel('Link to the scenario')).toHaveValue(/\/deadlock\.html$/);
});

test('a hostile link is text: what it holds is shown, never run by the page', async ({ page, playground }) => {
  const markup = '<img src=x onerror="document.title = 1"><script>document.title = 2</script>';
  const source = `async def buy(conn, request):\n    raise ValueError('''${markup}''')\n`;
  await playground.open(link({ s: 'oversell', v: 'naive', e: 'production', n: 1, k: { [`a.b`]: 1 }, f: { 'naive.py': source }, c: [], t: 2_000_000 }));
  await expect(page.getByText('This link names things the scenario does not have: knob “a.b”.')).toBeVisible();
  await playground.live();
  await playground.rest();
  await expect(playground.code).toContainText(markup);
  await expect(page.getByText(/The latest request that failed, line \d: ValueError: <img src=x/)).toBeVisible();
  await expect(page.locator('img[src=x]')).toHaveCount(0);
  await expect(page).toHaveTitle(/2 AM$/);
});

for (const [what, fields] of [
  ['markup as a name', { s: '<b>oversell</b>', v: 'naive', e: 'production', n: 1, t: 0 }],
  ['a prototype as a knob', { s: 'oversell', v: 'naive', e: 'production', n: 1, k: { '__proto__ ': 1 }, t: 0 }],
  ['a text without end', { s: 'oversell', v: 'naive', e: 'production', n: 1, f: { 'naive.py': 'x'.repeat(3_000_000) }, t: 0 }],
] as const) {
  test(`a link with ${what} is not looked into`, async ({ page, playground }) => {
    await playground.open(link(fields));
    await expect(page.getByText('This link is damaged')).toBeVisible();
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await expect(playground.corner(NAIVE_HOLDS)).toBeVisible();
  });
}

function link(fields: object): string {
  return `#v1.${deflateRawSync(JSON.stringify(fields)).toString('base64url')}`;
}
