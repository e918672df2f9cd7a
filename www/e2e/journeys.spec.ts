// What has to work in every browser, written once. The projects of playwright.config.ts say which browsers there are.

import { expect, test as base, type LaunchOptions } from '@playwright/test';
import type { ScenarioDocument } from '../src/core/types';
import { article as publish, script, tag, type Article } from './article';
import * as chromium from './browsers/chromium';
import * as firefox from './browsers/firefox';
import { Tab, type Browser } from './browsers/tab';
import * as webkit from './browsers/webkit';
import { HARDENED, HARDENED_HOLDS, LIVE, MACHINE, NAIVE_BROKEN, NAIVE_HOLDS, PRODUCTION } from './names';
import { native } from './playground';
import { changedRun, read, runInBrowser, runNatively } from './trace';

function launch(name: string, options: LaunchOptions): Promise<Browser> {
  if (name === 'firefox') return firefox.launch(process.env.FIREFOX!);
  if (name === 'webkit') return webkit.launch(process.env.WEBKIT_DRIVER!, process.env.WEBKIT!);
  return chromium.launch(options);
}

/** Every journey also fails for anything on the console and for any request that leaves the site and the article. */
const test = base.extend<{ site: string; article: Article; tab: Tab }, { browserUnderTest: Browser }>({
  browserUnderTest: [
    async ({ launchOptions }, use, { project }) => {
      const browser = await launch(project.name, launchOptions);
      await use(browser);
      await browser.close();
    },
    { scope: 'worker' },
  ],
  site: async ({ baseURL }, use) => use(new URL('./', baseURL).href),
  article: async ({ site }, use) => {
    const article = await publish(tag(site, 'oversell') + script(site));
    await use(article);
    await article.close();
  },
  tab: async ({ browserUnderTest, site, article }, use) => {
    const page = await browserUnderTest.open([site, article.address].map((address) => new URL(address).origin));
    await use(new Tab(page));
    const complaints = await page.complaints();
    await page.close();
    expect(complaints).toEqual([]);
  },
});

// The engine is compiled and run in each browser as fast as it can, which differs by ten times.
test.setTimeout(180_000);

test('naive breaks in production, and a deploy of the hardened variant ends it', async ({ tab, site }) => {
  await tab.open(site);
  await tab.read(LIVE);
  await tab.click('button', MACHINE);
  await tab.see('button', NAIVE_HOLDS);
  await tab.click('button', PRODUCTION);
  await tab.see('button', NAIVE_BROKEN);
  await tab.click('button', HARDENED);
  await tab.see('button', HARDENED_HOLDS);
});

test('a run that is changed while it goes gives the native trace', async ({ tab, site }) => {
  await tab.open(site);
  await tab.read(LIVE);
  const document = await read<ScenarioDocument>(tab, 'scenarios/oversell.json');
  const run = await runInBrowser(tab, document, changedRun(document), 60_000_000);
  const told = runNatively(native, run.schedule);
  expect(told.requests.ok).toBeGreaterThan(1_000);
  expect(run.trace_hash).toBe(told.trace_hash);
});

test('code that never comes back costs the engine, not the code', async ({ tab, site }) => {
  await tab.open(site);
  await tab.read(LIVE);
  await tab.click('button', MACHINE);
  await tab.click('region', /^Code$/);
  await tab.until(() => document.activeElement?.shadowRoot?.activeElement?.matches('[contenteditable="true"]'));
  await tab.replace('async def buy(conn, request): return {"status": 200, "n": len(str(7 ** (10 ** 9)))}');
  await tab.click('button', /^Deploy edit$/);
  await tab.read(/^The engine was restarted\. Your code is kept/);
  await tab.until(() => document.querySelector('[aria-label="Code"] .editor')?.shadowRoot?.textContent.includes('7 ** (10 ** 9)'));
  await tab.click('button', /^Revert$/);
  await tab.see('button', NAIVE_HOLDS);
});

test('in an article on another origin one tap shows the break and the recovery', async ({ tab, article }) => {
  await tab.open(article.address);
  await tab.until(() => (document.querySelector('backend-playground')?.shadowRoot?.querySelector('img')?.naturalWidth ?? 0) > 0);
  await tab.clickOn(() => document.querySelector('backend-playground')!.shadowRoot!.querySelector('button'));
  const embed = await tab.inside(() => document.querySelector('backend-playground')!.shadowRoot!.querySelector('iframe.there'));
  await embed.until(() => [...document.querySelectorAll('li')].some(({ textContent }) => /Naive.*✕\s*breaks/s.test(textContent)));
  await embed.see('button', /^Replay/);
  await embed.until(() => /✓\s*holds/.test([...document.querySelectorAll('li')].at(-1)!.textContent));
});
