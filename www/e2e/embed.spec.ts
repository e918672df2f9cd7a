import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { article, script, tag, type Article } from './article';
import { breaksAndRecovers, breaksAndStays, Embeds, isBroken, isMended } from './embedJourney';
import { expect, Playground, test as base } from './playground';

interface Fixtures {
  /** Where the playground is, with a slash at its end. */
  site: string;
  embeds: Embeds;
  /** Opens an article on another origin. */
  read(body: string, headers?: { [name in string]: string }): Promise<void>;
  /** Everything that was asked of the playground's origin, and for what. */
  asked: { path: string; kind: string; from: string }[];
}

const test = base.extend<Fixtures>({
  site: async ({ baseURL }, use) => use(new URL('/', baseURL).href),
  embeds: async ({ page }, use) => use(new Embeds(page)),
  asked: async ({ page, site }, use) => {
    const asked: Fixtures['asked'] = [];
    page.on('request', (request) => {
      if (request.url().startsWith(site)) asked.push({ path: new URL(request.url()).pathname, kind: request.resourceType(), from: request.frame().url() });
    });
    await use(asked);
  },
  read: async ({ page }, use) => {
    const articles: Article[] = [];
    await use(async (body, headers) => {
      const opened = await article(body, headers);
      articles.push(opened);
      await page.goto(opened.address);
    });
    for (const opened of articles) await opened.close();
  },
});

test.setTimeout(90_000);

test('in an article of another origin one tap shows the break and the recovery', async ({ page, site, embeds, read, asked }) => {
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await read(tag(site, 'oversell') + script(site));
  await expect.poll(() => embeds.picture()).toBe(720);

  const mended = await breaksAndRecovers(embeds, 'oversell');
  expect(mended.number).toBe('0');
  expect(mended.label).toBe('units sold that do not exist');
  expect(mended.before).toMatch(/^since the deploy; \d+ before$/);
  expect(mended.before).not.toContain('; 0 before');
  expect(mended.code).toContain('UPDATE products SET stock = stock - %(quantity)s');
  expect(mended.corners).toEqual([expect.stringMatching(/^My machine Naive ✓ holds/), expect.stringMatching(/^Production Naive ✕ breaks/), expect.stringMatching(/^Production Atomic UPDATE ✓ holds/)]);
  expect(mended.where).toMatch(/live$/);
  expect(complaints).toEqual([]);

  // The article asks for nothing that would need leave from either side.
  const ofArticle = asked.filter(({ from, kind }) => from.startsWith('http://localhost') && kind !== 'document');
  expect(ofArticle.map(({ kind }) => kind).filter((kind) => kind !== 'image' && kind !== 'script')).toEqual([]);
});

test('the frame is as tall as what is in it, and nothing scrolls, from 320 px on', async ({ page, site, embeds, read }) => {
  await page.setViewportSize({ width: 1280, height: 800 });
  await read(tag(site, 'oversell') + script(site));
  await breaksAndStays(embeds, 'oversell');
  for (const width of [1280, 360, 320]) {
    await page.setViewportSize({ width, height: 800 });
    await expect
      .poll(async () => {
        const given = await page.evaluate(() => document.querySelector('backend-playground')!.shadowRoot!.querySelector('iframe')!.clientHeight);
        const taken = await embeds.frame('oversell')!.evaluate(() => Math.ceil(document.body.getBoundingClientRect().height), null);
        return given - taken;
      })
      .toBe(0);
    const excess = await embeds.frame('oversell')!.evaluate(() => [document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight], null);
    expect(excess, `${width} px`).toEqual([0, 0]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), `${width} px`).toBe(0);
  }
});

test('what can be pressed is as large as a finger', async ({ page, site, embeds, read }) => {
  await page.setViewportSize({ width: 360, height: 800 });
  await read(tag(site, 'oversell') + script(site));
  await breaksAndStays(embeds, 'oversell');
  for (const one of await page.frameLocator('iframe.there').locator('button, a').filter({ visible: true }).all()) {
    const box = await one.boundingBox();
    expect(Math.min(box!.width, box!.height), await one.innerText()).toBeGreaterThanOrEqual(40);
  }
});

test.describe('with forced colours', () => {
  test.use({ contextOptions: { forcedColors: 'active' } });
  test('the variant that runs is told by an outline', async ({ page, site, embeds, read }) => {
    await read(tag(site, 'oversell') + script(site));
    await breaksAndStays(embeds, 'oversell');
    const corners = page.frameLocator('iframe.there').locator('li');
    const outlines = await corners.evaluateAll((all) => all.map((one) => [one.getAttribute('aria-current'), getComputedStyle(one).outlineStyle]));
    expect(outlines).toEqual([[null, 'none'], ['step', 'solid'], [null, 'none']]);
  });
});

test('ten on a page: no engine before the first tap, one engine for all, and what was shown stays', async ({ page, site, embeds, read, asked }) => {
  const scenarios = ['oversell', 'unique-race', 'gift-card', 'deadlock', 'order-states', 'write-skew', 'n-plus-one', 'missing-index', 'money', 'role-check'];
  // Each with its own snippet, script and all, as they are pasted.
  await read(scenarios.map((scenario) => tag(site, scenario) + script(site)).join('<p>…</p>'));
  await expect.poll(() => embeds.picture()).toBe(720);
  expect(asked.filter(({ path, kind }) => kind === 'document' || path.endsWith('.wasm'))).toEqual([]);

  await embeds.tap(0);
  // Whoever comes while the engine is on its way into a run gets another one sooner than this one.
  await embeds.until('oversell', (seen) => isBroken(seen) && seen.where.endsWith('live'));
  await embeds.tap(1);
  // The first is stopped where it was and keeps what it showed.
  const kept = await embeds.until('oversell', ({ buttons }) => buttons.includes('Play'));
  expect(isBroken(kept)).toBe(true);
  await embeds.until('unique-race', isMended);
  expect(page.workers()).toHaveLength(1);
  expect(asked.filter(({ path }) => path.endsWith('.wasm'))).toHaveLength(1);
  expect(await embeds.seen('oversell')).toEqual(kept);

  // It goes on in the same engine, and the other keeps its outcome.
  await embeds.scrollTo(0);
  await embeds.press('oversell', 'Play');
  await embeds.until('oversell', ({ where }) => parseFloat(where) > parseFloat(kept.where) && where.endsWith('live'));
  expect(isMended((await embeds.seen('unique-race'))!)).toBe(true);
  expect(page.workers()).toHaveLength(1);
});

test('of ten that are tapped in one go the last one runs', async ({ page, site, embeds, read }) => {
  const scenarios = ['unique-race', 'gift-card', 'deadlock', 'order-states', 'write-skew', 'money', 'role-check', 'time-zones', 'forged-token', 'oversell'];
  await read(scenarios.map((scenario) => tag(site, scenario)).join('') + script(site));
  await expect.poll(() => embeds.picture()).toBe(720);
  for (let index = 0; index < scenarios.length - 1; index++) await embeds.tap(index);
  const mended = await breaksAndRecovers(embeds, 'oversell', scenarios.length - 1);
  expect(mended.number).toBe('0');
  expect(page.workers()).toHaveLength(1);
});

test('a break is looked at for as long as the reader wants', async ({ site, embeds, read }) => {
  await read(tag(site, 'oversell') + script(site));
  const stopped = await breaksAndStays(embeds, 'oversell');
  expect(stopped.code).toContain('UPDATE products SET stock = %s');
  await embeds.press('oversell', 'Play');
  // Well past the moment at which it would have been deployed.
  const later = await embeds.until('oversell', ({ where }) => parseFloat(where) > parseFloat(stopped.where) + 4);
  expect(later.corners.at(-1)).toContain('not deployed');
  expect(Number(later.number)).toBeGreaterThan(Number(stopped.number));
  await embeds.press('oversell', 'Deploy the fix');
  await embeds.until('oversell', isMended);
});

test('what was mended can be broken again, and all of it replayed', async ({ site, embeds, read }) => {
  await read(tag(site, 'oversell') + script(site));
  const mended = await breaksAndRecovers(embeds, 'oversell');
  await embeds.press('oversell', 'Replay');
  await embeds.until('oversell', ({ corners }) => corners.at(-1)!.includes('not deployed'));
  const again = await embeds.until('oversell', ({ buttons }) => buttons.includes('Replay'));
  expect(again).toEqual(mended);
  await embeds.press('oversell', 'Break it again');
  await embeds.until('oversell', ({ number, buttons }) => Number(number) > 0 && buttons.includes('Deploy the fix'));
});

test('without motion the end states are shown, one after the other', async ({ page, site, embeds, read }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await read(tag(site, 'oversell') + script(site));
  await embeds.tap();
  const numbers = new Set<string>();
  await embeds.until('oversell', ({ number, buttons }) => {
    numbers.add(number);
    return buttons.includes('Replay');
  });
  // Nothing yet, what was broken when the fix was deployed, and what has been broken since.
  expect([...numbers].filter((number) => number !== '' && number !== '0')).toHaveLength(1);
  expect(numbers.has('0')).toBe(true);
});

test('it is as light or as dark as the text around it, also when that changes', async ({ page, site, embeds, read }) => {
  await read(`<script>document.body.className = 'night'</script>${tag(site, 'oversell')}${tag(site, 'money', 'theme="light"')}${script(site)}`);
  await expect.poll(() => embeds.picture()).toBe(720);
  await embeds.tap();
  await embeds.until('oversell', ({ number }) => number !== '');
  const ground = () => embeds.frame('oversell')!.evaluate(() => getComputedStyle(document.querySelector('article')!).backgroundColor, null);
  await expect.poll(ground).toBe('rgb(10, 14, 22)');
  const schemes = () => page.evaluate(() => [...document.querySelectorAll('backend-playground')].map((element) => getComputedStyle(element).colorScheme));
  expect(await schemes()).toEqual(['dark', 'light']);
  await page.evaluate(() => document.body.classList.remove('night'));
  await expect.poll(schemes).toEqual(['light', 'light']);
  await expect.poll(ground).toBe('rgb(251, 249, 244)');
});

for (const scheme of ['light', 'dark'] as const) {
  test(`nothing for axe to find in an embed that broke and in one that holds: ${scheme}`, async ({ page, site, embeds, read }) => {
    await read(tag(site, 'oversell', `theme="${scheme}"`) + script(site));
    await expect.poll(() => embeds.picture()).toBe(720);
    expect(await found(page), 'the picture').toEqual([]);
    await breaksAndStays(embeds, 'oversell');
    expect(await found(page), 'broken').toEqual([]);
    await embeds.press('oversell', 'Deploy the fix');
    await embeds.until('oversell', ({ buttons }) => buttons.includes('Replay'));
    expect(await found(page), 'mended').toEqual([]);
  });
}

async function found(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).include('backend-playground').withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

// Edited runs

test('an edited run is embedded as the share dialog says', async ({ page, site, embeds, read, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const playground = new Playground(page);
  await playground.open(site);
  await playground.live();
  await playground.openEditor();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText('async def buy(conn, request):\n    await conn.execute(\n        "INSERT INTO orders (product_id, customer, quantity, amount_cents) VALUES (%s, %s, 1, 1)",\n        (request["product_id"], request["customer"]),\n    )\n    return {"status": 201}\n');
  await page.getByRole('button', { name: 'Deploy edit' }).click();
  await playground.production.click();
  await expect(playground.corner(/^Naive, edited, Production: broken/)).toBeVisible();
  await playground.menu('Share');
  const snippet = await page.getByLabel('To embed this run in an article').inputValue();
  expect(snippet).toMatch(/ run="v1\./);
  const frame = await page.getByLabel('The same as a plain frame').inputValue();

  await read(snippet);
  await expect.poll(() => embeds.words()).toContain('This runs edited code');
  await embeds.tap();
  const edited = (corners: string[]) => corners.some((corner) => /^Production Naive, edited ✕ breaks/.test(corner));
  const broken = await embeds.until('oversell', ({ corners, before }) => edited(corners) || before !== '');
  // Nobody has recorded it.
  expect(broken.where).toMatch(/live$/);
  const mended = await embeds.until('oversell', isMended);
  expect(mended.corners.at(-1)).toMatch(/^Production Atomic UPDATE/);
  await embeds.press('oversell', 'Replay');
  const again = await embeds.until('oversell', ({ buttons }) => buttons.includes('Pause'));
  expect(again.code).toContain('INSERT INTO orders');

  await read(frame);
  await page.frameLocator('iframe').getByRole('img').click();
  await embeds.until('oversell', ({ corners }) => edited(corners));
});

test('an embed leads to the playground at the moment it shows', async ({ page, site, embeds, read, context }) => {
  await read(tag(site, 'oversell', 'variant="row-lock"') + script(site));
  const mended = await breaksAndRecovers(embeds, 'oversell');
  expect(mended.corners.at(-1)).toContain('Row lock');
  const link = page.frameLocator('iframe.there').getByRole('link', { name: 'Open in 2 AM' });
  await expect(link).toHaveAttribute('href', /#v1\./);
  const opened = context.waitForEvent('page');
  await link.click();
  const playground = new Playground(await opened);
  await playground.live();
  await expect(playground.corner(/^Hardened, Row lock, Production/)).toHaveAttribute('aria-pressed', 'true');
  await expect(playground.time).toHaveText(new RegExp(`^${mended.where.split(' ')[0]}`));
});

// What authors get wrong

for (const [what, attributes, words] of [
  ['no scenario', '', 'This embed names no scenario'],
  ['a name that cannot be one', 'scenario="Flash sale"', '“Flash sale” is not the name of a scenario'],
  ['a scenario that is not there', 'scenario="oversel"', 'There is no picture of “oversel”: the name may be misspelt'],
  ['a run that lost its end', 'scenario="oversell" run="#v1."', 'The run of this embed is damaged'],
] as const) {
  test(`${what} is told where the embed would be`, async ({ site, embeds, read }) => {
    await read(`<backend-playground ${attributes}></backend-playground>${script(site)}`);
    await expect.poll(() => embeds.words()).toContain(words);
  });
}

for (const [what, attributes, scenario, words] of [
  ['a scenario that is not there', 'scenario="oversel"', 'oversel', /^2 AM has no scenario “oversel”\. It has: oversell, /],
  ['a variant that is not there', 'scenario="oversell" variant="rowlock"', 'oversell', /^“Flash sale” has no variant “rowlock”\. It has: atomic-update, row-lock, /],
  ['a run whose middle was lost', 'scenario="oversell" run="v1.AAAA"', 'oversell', /damaged.*Here is the scenario as it is\./],
] as const) {
  test(`${what} is told once it is tapped`, async ({ site, embeds, read }) => {
    await read(`<backend-playground ${attributes}></backend-playground>${script(site)}`);
    await expect.poll(() => embeds.words()).toContain('');
    await expect.poll(() => embeds.tap().then(() => true, () => false)).toBe(true);
    const { notice } = await embeds.until(scenario, ({ notice }) => notice !== '');
    expect(notice).toMatch(words);
  });
}

test('code that cannot run says where', async ({ page, site, embeds, read }) => {
  await page.goto(site);
  const run = await page.evaluate(async () => {
    const compact = { s: 'oversell', v: 'naive', e: 'production', n: 1, k: {}, f: { 'naive.py': 'async def buy(conn, request)\n' }, c: [], t: 0 };
    const packed = new Blob([JSON.stringify(compact)]).stream().pipeThrough(new CompressionStream('deflate-raw'));
    const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
    return `v1.${btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
  });
  await read(tag(site, 'oversell', `run="${run}"`) + script(site));
  await embeds.tap();
  const { notice } = await embeds.until('oversell', ({ notice }) => notice !== '');
  expect(notice).toMatch(/naive\.py, line 1/);
});

// Hosts that forbid things

test('where scripts are forbidden the picture and the link remain', async ({ page, site, read }) => {
  await read(tag(site, 'oversell') + script(site), { 'content-security-policy': "script-src 'none'" });
  await expect(page.getByRole('link', { name: 'The code of oversell' })).toHaveAttribute('href', `${site}oversell.html`);
  await expect.poll(() => page.getByRole('img').evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(720);
});

test('where frames are forbidden a tap says so and leaves the picture and a link', async ({ page, site, embeds, read }) => {
  await read(tag(site, 'oversell') + script(site), { 'content-security-policy': "frame-src 'none'" });
  await expect.poll(() => embeds.picture()).toBe(720);
  await embeds.tap();
  await expect(page.getByText('This page does not let it run here.')).toBeVisible();
  await expect(page.getByRole('link', { name: 'The code of oversell' })).toHaveAttribute('href', `${site}oversell.html`);
  await expect.poll(() => embeds.picture()).toBe(720);
});

test('a strict policy that allows what is needed is enough', async ({ site, embeds, read }) => {
  const origin = new URL(site).origin;
  const policy = `default-src 'none'; script-src ${origin}; img-src ${origin}; frame-src ${origin}; style-src 'unsafe-inline'; require-trusted-types-for 'script'`;
  await read(tag(site, 'oversell') + script(site), { 'content-security-policy': policy });
  await expect.poll(() => embeds.picture()).toBe(720);
  await breaksAndRecovers(embeds, 'oversell');
});

test('where nothing may be stored it runs all the same', async ({ page, site, embeds, read }) => {
  await page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('The operation is insecure.', 'SecurityError');
        },
      });
    }
  });
  await read(tag(site, 'oversell') + script(site));
  await breaksAndRecovers(embeds, 'oversell');
});

test('where there is no WebAssembly the recorded runs are shown, and that they are', async ({ page, site, embeds, read }) => {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebAssembly'));
  await read(tag(site, 'oversell') + script(site));
  await embeds.tap();
  const seen = await embeds.until('oversell', ({ buttons }) => buttons.includes('Replay'));
  expect(seen.notice).toContain('only the recorded runs can be shown');
  expect(seen.where).toMatch(/recorded$/);
  expect(seen.corners.at(-1)).toMatch(/✓ holds recorded/);
});

test('a plain frame shows the picture until it is tapped, and then has an engine of its own', async ({ page, site, embeds, read, asked }) => {
  await read(`<iframe src="${site}oversell.embed.html" title="2 AM" width="100%" height="640" style="border:0;height:640px"></iframe>`);
  const picture = page.frameLocator('iframe').getByRole('img', { name: /^Flash sale.*Run it here\./ });
  await expect(picture).toBeVisible();
  expect(asked.filter(({ path }) => path.endsWith('.wasm') || path.includes('show'))).toEqual([]);
  await picture.click();
  await embeds.until('oversell', isMended);
});

for (const [what, sandbox] of [
  ['no scripts', ''],
  ['scripts without an origin', 'allow-scripts allow-popups'],
] as const) {
  test(`a plain frame in a sandbox with ${what} shows the picture and a link`, async ({ page, site, read }) => {
    await read(`<iframe src="${site}oversell.embed.html" title="2 AM" width="100%" style="height:640px" sandbox="${sandbox}"></iframe>`);
    const link = page.frameLocator('iframe').getByRole('link', { name: /^Flash sale/ });
    await expect(link).toHaveAttribute('href', './oversell.html');
    await expect.poll(() => link.getByRole('img').evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(720);
  });
}

test('an element can be put there, changed and taken away by a script', async ({ page, site, embeds, read }) => {
  await read(`<div id="place"></div>${script(site)}`);
  await page.evaluate(() => {
    const element = document.createElement('backend-playground');
    document.getElementById('place')!.append(element);
    element.setAttribute('scenario', 'money');
  });
  await expect.poll(() => embeds.picture()).toBe(720);
  await page.evaluate(() => document.querySelector('backend-playground')!.setAttribute('scenario', 'oversell'));
  await expect(page.locator('backend-playground img')).toHaveAttribute('src', `${site}pictures/oversell.svg`);
  await breaksAndRecovers(embeds, 'oversell');
  await page.evaluate(() => document.querySelector('backend-playground')!.remove());
  await expect.poll(() => embeds.frame('oversell')).toBeUndefined();
});

test('an article in another character set shows the same letters', async ({ page, site, embeds, read }) => {
  await read(tag(site, 'oversel') + script(site), { 'content-type': 'text/html; charset=windows-1252' });
  await expect.poll(() => page.evaluate(() => document.characterSet)).toBe('windows-1252');
  await expect.poll(() => embeds.words()).toContain('no picture of “oversel”');
});

test('the module is one file that a page may import', async ({ page, site, embeds }) => {
  const host = `${site}host.html`;
  await page.route(host, (route) =>
    route.fulfill({ contentType: 'text/html', body: `<!doctype html><title>A post</title><script type="module">import './embed.mjs'</script>${tag(site, 'oversell')}` }),
  );
  await page.goto(host);
  await expect.poll(() => embeds.picture()).toBe(720);
  await embeds.tap();
  await embeds.until('oversell', isBroken);
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });
  test('a feed or a browser that runs none shows the picture, and the link leads to the scenario', async ({ page, site, read }) => {
    await read(tag(site, 'oversell') + script(site));
    await expect(page.getByRole('link', { name: 'The code of oversell' })).toBeVisible();
    await page.getByRole('link', { name: 'The code of oversell' }).click();
    await expect(page).toHaveURL(`${site}oversell.html`);
  });
});

// Kept with the results of the test run, for people to look at.
for (const { width, night } of [
  { width: 1280, night: false },
  { width: 1280, night: true },
  { width: 360, night: false },
  { width: 320, night: true },
]) {
  test(`an embed before the tap, broken and mended is kept as a picture: ${width} px, ${night ? 'dark' : 'light'}`, async ({ page, site, embeds, read }, info) => {
    await page.setViewportSize({ width, height: 800 });
    await read(`${night ? "<script>document.body.className = 'night'</script>" : ''}${tag(site, 'oversell')}${script(site)}`);
    const keep = (name: string) => page.screenshot({ path: info.outputPath(`${name}.png`), fullPage: true });
    await expect.poll(() => embeds.picture()).toBe(width < 560 ? 360 : 720);
    await keep('picture');
    await breaksAndStays(embeds, 'oversell');
    await keep('broken');
    await embeds.press('oversell', 'Deploy the fix');
    await embeds.until('oversell', ({ buttons }) => buttons.includes('Replay'));
    await keep('mended');
  });
}
