import { expect, test } from 'vitest';
import type { Frame, Recording, ScenarioDocument } from '../src/core/types';
import { LAYOUTS, picture } from '../src/draw/picture';

function recording(broken: number): Recording {
  const frame = {
    now_us: 250_000,
    requests: { started: 1_200, ok: 1_200, failed: 0, in_flight: 0 },
    metrics: [{ total: broken, recent: null }],
    invariants: [{ broken, broken_ever: broken }],
    samples: [
      { at_us: 250_000, values: [0] },
      { at_us: 500_000, values: [broken] },
    ],
  };
  return { frames: [frame as unknown as Frame] } as Recording;
}

const document = {
  summary: { id: 'sale', title: 'Flash <sale>', hook: '100 units, 140 buyers.' },
  variants: [
    { id: 'naive', label: 'Naive' },
    { id: 'row-lock', label: 'Row lock' },
  ],
  environments: [
    { id: 'my-machine', label: 'My machine' },
    { id: 'production', label: 'Production' },
  ],
  metrics: [{ id: 'oversold', label: 'Oversold', unit: 'count', kind: 'gauge', headline: true, better: 'zero' }],
} as unknown as ScenarioDocument;

test('a picture tells the four corners, and nothing in it is markup of the scenario', () => {
  const svg = picture(document, {
    'naive.my-machine': recording(0),
    'naive.production': recording(1_234),
    'row-lock.my-machine': recording(0),
    'row-lock.production': recording(0),
  });
  expect(svg).toContain('Flash &lt;sale&gt;');
  expect(svg).toContain('✕ 1,234');
  expect(svg.match(/✓ holds/g)).toHaveLength(3);
  expect(svg).toContain('class="red"');
  expect(svg.length).toBeLessThan(6_000);
});

test('a narrow picture tells the same, in letters as large', () => {
  const recordings = { 'naive.my-machine': recording(0), 'naive.production': recording(1_234) };
  const sizes = (svg: string) => [...svg.matchAll(/font-size="(\d+)"/g)].map(([, size]) => Number(size));
  const [wide, narrow] = [picture(document, recordings), picture(document, recordings, LAYOUTS.narrow)];
  expect(narrow).toContain('viewBox="0 0 360 440"');
  expect(narrow).toContain('✕ 1,234');
  expect(Math.min(...sizes(narrow))).toBe(Math.min(...sizes(wide)));
});

test('a corner without a recording says so', () => {
  expect(picture(document, {})).toContain('not recorded');
});
