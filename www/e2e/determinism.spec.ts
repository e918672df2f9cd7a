// The same request gives the same trace, byte for byte, in the browser's engine as in the native one.

import { execFileSync } from 'node:child_process';
import type { Page } from '@playwright/test';
import type { Ask } from '../src/core/protocol';
import type { Recording, RunRequest, ScenarioDocument, ScenarioSummary } from '../src/core/types';
import { expect, native, test } from './playground';

test('the recorded runs, which the native engine made, come out again', async ({ page, playground }) => {
  test.setTimeout(120_000);
  await playground.open();
  await playground.live();
  const scenarios = await read<ScenarioSummary[]>(page, 'scenarios/index.json');
  const oneOfEachTheme = [...new Map(scenarios.toReversed().map((summary) => [summary.theme, summary.id])).values()];
  for (const id of oneOfEachTheme) {
    const document = await read<ScenarioDocument>(page, `scenarios/${id}.json`);
    const recordings = await read<{ [corner in string]: Recording }>(page, `recordings/${id}.json`);
    expect(Object.keys(recordings)).toHaveLength(4);
    for (const [corner, { request, frames, schedule, trace_hash }] of Object.entries(recordings)) {
      const run = await runInBrowser(page, document, request, frames.at(-1)!.now_us);
      expect([id, corner, run.schedule, run.trace_hash]).toEqual([id, corner, schedule, trace_hash]);
    }
  }
});

test('a run that is changed while it goes gives one trace, natively and here', async ({ page, playground }) => {
  await playground.open();
  await playground.live();
  const document = await read<ScenarioDocument>(page, 'scenarios/oversell.json');
  const naive = document.variants[0]!;
  const request: RunRequest = {
    scenario: 'oversell',
    variant: naive.id,
    environment: 'production',
    seed: 4_294_967_295,
    knobs: { shoppers: 120 },
    sources: {},
    changes: [
      { at_us: 3_000_001, change: { kind: 'source', file: naive.file, text: `${naive.source}\n# Reviewed at 2 AM: ünchanged.\n` } },
      { at_us: 7_000_000, change: { kind: 'variant', variant: 'serializable' } },
      { at_us: 9_500_000, change: { kind: 'knob', knob: 'network-ms', value: 2.5 } },
    ],
  };
  const run = await runInBrowser(page, document, request, 60_000_000);
  const told = JSON.parse(execFileSync(native, ['run', 'oversell', '--replay', run.schedule, '--json'], { encoding: 'utf8' }));
  expect(told.requests.ok).toBeGreaterThan(1_000);
  expect(run.trace_hash).toBe(told.trace_hash);
});

function read<T>(page: Page, path: string): Promise<T> {
  return page.evaluate(async (path) => (await fetch(path)).json(), path);
}

/** In another thread of the page's own engine. */
function runInBrowser(page: Page, document: ScenarioDocument, request: RunRequest, until_us: number): Promise<{ schedule: string; trace_hash: string }> {
  const [engine] = page.workers();
  const asks: Ask[] = [
    { kind: 'load' },
    { kind: 'run', run: 1, document, request, catch_up_us: until_us },
    { kind: 'schedule' },
    { kind: 'trace-hash' },
  ];
  return page.evaluate(
    ({ address, asks }) =>
      new Promise<{ schedule: string; trace_hash: string }>((resolve, reject) => {
        const worker = new Worker(address, { type: 'module' });
        const values: unknown[] = [];
        worker.onerror = (event) => reject(new Error(event.message));
        worker.onmessage = ({ data }) => {
          if ('frame' in data) return;
          if ('error' in data) reject(new Error(data.error));
          if (values.push(data.value) < asks.length) return;
          worker.terminate();
          resolve({ schedule: values[2] as string, trace_hash: values[3] as string });
        };
        // An engine that is still loading has no run to be asked about, hence one after the other.
        const next = (id: number) => {
          if (id < asks.length) worker.postMessage({ id, ask: asks[id] });
        };
        worker.addEventListener('message', ({ data }) => {
          if ('value' in data) next(data.id + 1);
        });
        next(0);
      }),
    { address: engine!.url(), asks: asks as object[] },
  );
}
