// Runs in another thread of the page's own engine, for comparing their traces with the native one's.

import { execFileSync } from 'node:child_process';
import type { Ask } from '../src/core/protocol';
import type { RunRequest, ScenarioDocument } from '../src/core/types';

/** What runs a function in the page: Playwright's pages can, and the journeys' tabs. */
interface Evaluates {
  evaluate<A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
}

export interface Traced {
  schedule: string;
  trace_hash: string;
}

export function read<T>(page: Evaluates, path: string): Promise<T> {
  return page.evaluate(async (path) => (await fetch(path)).json() as Promise<T>, path);
}

/** The page has to be live: its thread's script is asked for again. */
export function runInBrowser(page: Evaluates, document: ScenarioDocument, request: RunRequest, until_us: number): Promise<Traced> {
  const asks: Ask[] = [
    { kind: 'load' },
    { kind: 'run', run: 1, document, request, catch_up_us: until_us },
    { kind: 'schedule' },
    { kind: 'trace-hash' },
  ];
  return page.evaluate(
    (asks) =>
      new Promise<Traced>((resolve, reject) => {
        const address = performance.getEntriesByType('resource').find(({ name }) => /\/worker-[^/]*\.js$/.test(name))?.name;
        if (!address) throw new Error('This page has no thread of the engine.');
        const worker = new Worker(address, { type: 'module' });
        const values: unknown[] = [];
        worker.onerror = (event) => reject(new Error(event.message));
        worker.onmessage = ({ data }) => {
          if ('error' in data) reject(new Error(data.error));
          if (!('value' in data)) return;
          values.push(data.value);
          // An engine that is still loading has no run to be asked about, hence one after the other.
          if (values.length < asks.length) {
            worker.postMessage({ id: values.length, ask: asks[values.length] });
            return;
          }
          worker.terminate();
          resolve({ schedule: values[2] as string, trace_hash: values[3] as string });
        };
        worker.postMessage({ id: 0, ask: asks[0] });
      }),
    asks as object[],
  );
}

/** A run with every kind of change, at moments that are no round numbers. */
export function changedRun(document: ScenarioDocument): RunRequest {
  const naive = document.variants[0]!;
  return {
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
}

/** The same run by the native command line. */
export function runNatively(native: string, schedule: string): { trace_hash: string; requests: { ok: number } } {
  return JSON.parse(execFileSync(native, ['run', 'oversell', '--replay', schedule, '--json'], { encoding: 'utf8' }));
}
