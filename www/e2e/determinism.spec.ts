// The same request gives the same trace, byte for byte, in the browser's engine as in the native one. journeys.spec.ts
// has a run that is changed while it goes.

import type { Recording, ScenarioDocument, ScenarioSummary } from '../src/core/types';
import { expect, test } from './playground';
import { read, runInBrowser } from './trace';

test('the recorded runs, which the native engine made, come out again', async ({ page, playground }) => {
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
