// Any Firefox, over WebDriver BiDi.

import puppeteer, { type BrowserContext } from 'puppeteer-core';
import type { Browser, Frame, Page } from './tab';

export async function launch(executablePath: string): Promise<Browser> {
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
  return {
    open: async (origins) => open(await browser.createBrowserContext(), origins),
    close: () => browser.close(),
  };
}

async function open(context: BrowserContext, origins: string[]): Promise<Page> {
  const page = await context.newPage();
  await page.setViewport({ width: 1280, height: 800 });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warn') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && !origins.includes(origin)) complaints.push(`asked ${request.url()}`);
  });
  return {
    frame: page as unknown as Frame,
    async selectAll() {
      await page.keyboard.down('Control');
      await page.keyboard.press('a');
      await page.keyboard.up('Control');
    },
    type: (text) => page.keyboard.type(text),
    complaints: async () => complaints,
    close: () => context.close(),
  };
}
