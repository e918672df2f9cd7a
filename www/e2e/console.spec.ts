import { complaints } from './axe';
import { expect, test } from './playground';

for (const scheme of ['dark', 'light'] as const) {
  test(`one session blocks another, and its commit lets it go on: ${scheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto('./#console');
    const a = page.getByRole('region', { name: 'Session A' });
    const b = page.getByRole('region', { name: 'Session B' });
    const field = a.getByRole('textbox');
    await expect(page.getByRole('button', { name: /^Run step 1/ })).toBeEnabled();
    await field.fill('BEGIN;');
    await field.press('Enter');
    await expect(a.getByText('in a transaction')).toBeVisible();
    await field.fill('UPDATE accounts SET balance = 90 WHERE id = 1;');
    await field.press('Enter');
    await b.getByRole('textbox').fill('UPDATE accounts SET balance = 80 WHERE id = 1;');
    await b.getByRole('textbox').press('Enter');
    await expect(b.getByText(/waits for A/).first()).toBeVisible();
    await expect(a.getByText('B waits for it')).toBeVisible();
    expect(await complaints(page)).toEqual([]);
    await field.fill('COMMIT;');
    await field.press('Enter');
    await expect(b.getByText('UPDATE 1')).toBeVisible();
    await expect(b.getByText('no transaction')).toBeVisible();
  });
}

test('the first walkthrough loses an update, without an error', async ({ page }) => {
  await page.goto('./#console');
  const step = page.getByRole('button', { name: /^Run step/ });
  await expect(step).toBeEnabled();
  const steps = Number(/ of (\d+)/.exec((await step.textContent())!)![1]);
  for (let number = 1; number <= steps; number += 1) await page.getByRole('button', { name: `Run step ${number} of ${steps}` }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Thirty were withdrawn');
  await expect(page.getByRole('region', { name: 'Session A' }).getByRole('row', { name: '1 Ada 80' })).toBeVisible();
});

test('names are completed, and a link has the same statements run again', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('./#console');
  await expect(page.getByRole('button', { name: /^Run step 1/ })).toBeEnabled();
  await page.getByRole('combobox', { name: 'Walkthrough' }).selectOption({ label: 'On your own' });
  const a = page.getByRole('region', { name: 'Session A' });
  const field = a.getByRole('textbox');
  await field.pressSequentially('BEGIN; UPDATE acc');
  await expect(a.getByRole('button', { name: 'accounts' })).toBeVisible();
  await field.press('Tab');
  await field.pressSequentially(' SET balance = balance - 1 WHERE id = 1;');
  await expect(field).toHaveValue('BEGIN; UPDATE accounts SET balance = balance - 1 WHERE id = 1;');
  await field.press('Enter');
  await expect(a.getByText('in a transaction')).toBeVisible();
  const b = page.getByRole('region', { name: 'Session B' });
  await b.getByRole('textbox').fill('DELETE FROM accounts WHERE id = 1;');
  await b.getByRole('textbox').press('Enter');
  await expect(b.getByText(/waits for A/).first()).toBeVisible();
  await page.getByRole('button', { name: 'Link to this state' }).click();
  await expect(page).toHaveURL(/#console\.v1\./);

  const link = page.url();
  await page.goto('about:blank');
  await page.goto(link);
  await expect(b.getByText(/waits for A/).first()).toBeVisible();
  await field.fill('ROLLBACK;');
  await field.press('Enter');
  await expect(b.getByText('DELETE 1')).toBeVisible();
});

test('a damaged link opens the console as it begins, with a sentence', async ({ page }) => {
  await page.goto('./#console.v1.AAAA');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('damaged');
});
