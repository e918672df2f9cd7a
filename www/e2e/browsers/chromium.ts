import { chromium, type LaunchOptions, type Page as PlaywrightPage } from '@playwright/test';
import type { Browser, Frame, Page } from './tab';

export async function launch(options: LaunchOptions): Promise<Browser> {
  const browser = await chromium.launch(options);
  return {
    open: async (origins) => open(await browser.newPage({ viewport: { width: 1280, height: 800 } }), origins),
    close: () => browser.close(),
  };
}

function open(page: PlaywrightPage, origins: string[]): Page {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && !origins.includes(origin)) complaints.push(`asked ${request.url()}`);
  });
  return {
    frame: page as unknown as Frame,
    selectAll: () => page.keyboard.press('Control+a'),
    type: (text) => page.keyboard.type(text),
    complaints: async () => complaints,
    close: () => page.context().close(),
  };
}
