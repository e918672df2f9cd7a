import { NAIVE_BROKEN } from './names';
import { complaints as axe } from './axe';
import { expect, test } from './playground';

test('without WebAssembly the recorded runs are shown, and the page says why', async ({ page, playground }) => {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebAssembly'));
  await playground.open();
  await expect(page.getByText('only the recorded runs can be shown')).toBeVisible();
  await playground.production.click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
});

test('an engine that cannot be fetched leaves the recorded runs', async ({ page, playground, complaints }) => {
  await page.route('**/*.wasm', (route) => route.fulfill({ status: 404, body: '' }));
  await playground.open();
  await expect(page.getByText('The engine could not be loaded')).toBeVisible();
  await playground.production.click();
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
  // The browser itself writes a line for an answer of 404.
  complaints.splice(0, complaints.length, ...complaints.filter((complaint) => !complaint.includes('404')));
});

test('a page that cannot start says so', async ({ page, playground, complaints }, info) => {
  await page.addInitScript(() => {
    Intl.NumberFormat = function () {
      throw new RangeError('invalid language tag: C');
    } as never;
  });
  await playground.page.goto('./');
  await expect(page.getByRole('alert')).toContainText('2 AM could not start in this browser Uncaught RangeError: invalid language tag: C');
  await page.screenshot({ path: info.outputPath('unstarted.png') });
  await expect(page.getByRole('link', { name: 'What 2 AM is' })).toBeVisible();
  expect(await axe(page)).toEqual([]);
  expect(complaints.splice(0)).toEqual(['invalid language tag: C']);
});

test('a page whose script does not arrive says so', async ({ page, playground, complaints }) => {
  await page.route('**/assets/index-*.js', (route) => route.fulfill({ status: 404, body: '' }));
  await playground.page.goto('./');
  await expect(page.getByRole('alert')).toContainText(/Its script could not be loaded: http.*\.js/);
  expect(complaints.splice(0).join()).toContain('404');
});

test('a browser whose language its own Intl does not know runs the page all the same', async ({ page, playground }) => {
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'language', { get: () => 'C' }));
  await playground.open();
  await playground.live();
});

test('a tab that lay in the background for an hour goes on where it was', async ({ page, playground }) => {
  await page.clock.install();
  await playground.open();
  await playground.live();
  await playground.production.click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await page.clock.fastForward('01:00:00');
  const before = await playground.time.textContent();
  await expect(playground.time).not.toHaveText(before!);
  await expect(page.getByText(/restarted|stopped/)).toHaveCount(0);
  await expect(playground.corner(NAIVE_BROKEN)).toBeVisible();
});

test('a browser that keeps nothing is told about, and the edit still runs', async ({ page, playground }) => {
  await page.addInitScript(() =>
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      },
    }),
  );
  await playground.open();
  await playground.live();
  await playground.openEditor();
  await page.keyboard.press('Control+Home');
  await page.keyboard.insertText('# Reviewed at 2 AM.\n');
  await expect(page.getByText('This browser stores nothing for this page')).toBeVisible();
  await page.getByRole('button', { name: 'Deploy edit' }).click();
  await expect(page.getByRole('button', { name: 'Deploy edit' })).toBeHidden();
});
