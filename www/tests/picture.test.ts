import { expect, test } from 'vitest';
import type { Frame, Recording } from '../src/core/types';
import { LAYOUTS, picture } from '../src/draw/picture';
import { document as shop, frame, recording as recorded, request } from './runs';

const document = { ...shop, summary: { ...shop.summary, title: 'Flash <sale>', hook: '100 units, 140 buyers.' } };

function recording(variant: string, ...frames: Frame[]): Recording {
  return { ...recorded(frames), request: { ...request, variant } };
}

const broken = recording('naive', frame(6_000_000, { ok: 600 }), frame(12_000_000, { ok: 1_200, oversold: 1_234, stock: 3 }));
const fine = (variant: string) => recording(variant, frame(12_000_000, { ok: 900 }));
const all = { 'naive.mine': fine('naive'), 'naive.production': broken, 'lock.production': fine('lock') };
const sizes = (svg: string) => [...svg.matchAll(/font-size="([\d.]+)"/g)].map(([, size]) => Number(size));

test('a picture tells what came out of the code on one machine, in production, and of the fix', () => {
  const svg = picture(document, all);
  expect(svg).toContain('>1,234<');
  expect(svg).toContain('>units sold that do not exist<');
  expect(svg.match(/✓ holds/g)).toHaveLength(2);
  expect(svg.match(/✕ breaks/g)).toHaveLength(1);
  expect(svg).toContain('>1,200 requests<');
  expect(svg).toContain('class="red"');
  expect(svg.length).toBeLessThan(6_000);
});

test('nothing in it is markup of the scenario', () => {
  expect(picture(document, all)).toContain('Flash &lt;sale&gt;');
});

test('it says that it is recorded, and how long and with which seed', () => {
  for (const layout of Object.values(LAYOUTS)) expect(picture(document, all, layout)).toContain('>Recorded runs of 12 s, seed 1.<');
});

test.each([9_999, 123_456, 999_999_999])('%i requests fit into their part of the table', (ok) => {
  // What a letter of these words takes in a wide system font, DejaVu Sans.
  const LETTER = 0.56;
  for (const layout of Object.values(LAYOUTS)) {
    const many = recording('naive', frame(12_000_000, { ok }));
    const { size, words } = /font-size="(?<size>[\d.]+)"[^>]*>(?<words>[^<]+ requests)</.exec(picture(document, { ...all, 'naive.mine': many }, layout))!.groups!;
    const room = (layout.width - 2 * layout.margin) / 3 - layout.cells.padding;
    expect(words!.length * Number(size) * LETTER).toBeLessThan(room);
  }
});

test('a narrow picture tells the same, in letters as large', () => {
  const [wide, narrow] = [picture(document, all), picture(document, all, LAYOUTS.narrow)];
  expect(narrow).toContain('viewBox="0 0 360 500"');
  expect(narrow).toContain('>1,234<');
  expect(Math.min(...sizes(narrow))).toBe(Math.min(...sizes(wide)));
});

test('what was not recorded says so, and what broke nothing while it already counts is not said to hold', () => {
  expect(picture(document, {})).toContain('not recorded');
  const early = picture(document, { 'naive.production': recording('naive', frame(12_000_000, { ok: 9, oversold: 4 })) });
  expect(early).not.toContain('✓');
});
