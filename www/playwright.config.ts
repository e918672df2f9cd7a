import { defineConfig } from '@playwright/test';

const address = process.env.BASE_URL;
if (!address) throw new Error('BASE_URL names the served site. `cargo xtask test` builds it, serves it and sets this.');

export default defineConfig({
  testDir: 'e2e',
  // The engine takes a core for itself, so tests share the machine badly.
  workers: 1,
  timeout: 240_000,
  expect: { timeout: 60_000 },
  reporter: [['list']],
  // The others walk the journeys, by drivers of their own.
  projects: [
    { name: 'chromium' },
    ...(process.env.FIREFOX ? [{ name: 'firefox', testMatch: 'journeys.spec.ts' }] : []),
    ...(process.env.WEBKIT_DRIVER ? [{ name: 'webkit', testMatch: 'journeys.spec.ts' }] : []),
  ],
  use: {
    baseURL: address,
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath: process.env.CHROMIUM || undefined,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
  },
});
