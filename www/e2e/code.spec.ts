import { NAIVE_BROKEN, NAIVE_HOLDS } from './names';
import { expect, test } from './playground';

test('an edit is deployed into the running traffic and kept in this browser', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await playground.production.click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  await playground.openEditor();
  await page.keyboard.press('Control+Home');
  await page.keyboard.insertText('# Reviewed at 2 AM.\n');
  await page.getByRole('button', { name: 'Deploy edit' }).click();
  await expect(page.getByRole('button', { name: 'Revert' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Deploy edit' })).toBeHidden();
  await page.reload();
  await expect(playground.code).toContainText('# Reviewed at 2 AM.');
  await page.getByRole('button', { name: 'Revert' }).click();
  await expect(playground.code).not.toContainText('# Reviewed at 2 AM.');
});

test('code that does not compile is told with its line, and the old code goes on', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  await playground.production.click();
  // Before the first request there is no old code that could go on.
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  await playground.write('async def buy(conn, request)\n    return {"status": 200}\n');
  await page.getByRole('button', { name: 'Deploy edit' }).click();
  await expect(page.getByText(/^✕ Line 1: /)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
});

test('an endless loop is stopped, and the page goes on', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  const source = (await playground.code.innerText()).replaceAll('\u00a0', ' ');
  const handler = /async def (\w+)\(([^)]*)\)/.exec(source)!;
  await playground.write(`async def ${handler[1]}(${handler[2]}):\n    while True:\n        pass\n`);
  await page.getByRole('button', { name: 'Deploy edit' }).click();
  await expect(page.getByText(/stopped|restarted/).first()).toBeVisible();
  await page.getByRole('button', { name: 'Revert' }).click();
  await page.getByRole('button', { name: 'Reset' }).click();
  await expect(playground.corner(NAIVE_HOLDS)).toBeVisible();
});
