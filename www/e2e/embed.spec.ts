import { expect, test } from './playground';

test('an embed is a picture of the outcome until it is tapped', async ({ page, baseURL }) => {
  const host = new URL('host.html', baseURL).href;
  await page.route(host, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: '<!doctype html><title>A post</title><script type="module" src="./embed.js"></script><backend-playground scenario="oversell">Flash sale</backend-playground>',
    }),
  );
  await page.goto(host);
  const picture = page.getByRole('img', { name: 'Flash sale. Run it here.' });
  await expect(picture).toBeVisible();
  await expect.poll(() => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(720);
  // A phone gets one whose letters can be read there.
  await page.setViewportSize({ width: 360, height: 700 });
  await expect.poll(() => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(360);
  await page.getByRole('button').click();
  const frame = page.frameLocator('iframe');
  await expect(frame.getByRole('button', { name: /^Naive, My machine: holds/ })).toBeVisible();
});
