import { describe, expect, test } from 'vitest';
import type { Change, Mark, Scene } from '../src/core/types';
import { stageChart } from '../src/draw/stageChart';
import { readTalk, talkAddress } from '../src/stage/address';
import { stateOfBeat, stillToDo } from '../src/state/scenes';
import { document as shop } from './runs';

const SECOND = 1_000_000;
const deploy: Change = { kind: 'variant', variant: 'lock' };
const slower: Change = { kind: 'knob', knob: 'clients', value: 9 };

function scene(more: Partial<Scene>): Scene {
  return {
    environment: 'production',
    variant: 'naive',
    deployed: 'naive',
    knobs: {},
    changes: [],
    from_us: 0,
    until_us: 0,
    speed: 1,
    picture: { kind: 'chart', metric: 'oversold' },
    lines: null,
    ...more,
  };
}

const document = {
  ...shop,
  scenes: [
    scene({ environment: 'mine' }),
    scene({ until_us: 6 * SECOND }),
    scene({ from_us: 6 * SECOND, until_us: 12 * SECOND, deployed: 'lock', changes: [{ at_us: 6 * SECOND, change: deploy }] }),
    scene({ from_us: 12 * SECOND, until_us: 18 * SECOND, deployed: 'lock', changes: [{ at_us: 6 * SECOND, change: deploy }, { at_us: 12 * SECOND, change: slower }] }),
  ],
};

describe('a beat', () => {
  test('before the first stands at the beginning', () => {
    expect(stateOfBeat(document, -1)).toEqual({
      request: { scenario: 'shop', variant: 'naive', environment: 'mine', seed: 1, knobs: {}, sources: {}, changes: [] },
      from_us: 0,
      until_us: 0,
      speed: 1,
      picture: { kind: 'chart', metric: 'sold' },
      lines: null,
    });
  });

  test('is the same whatever was done with its state before', () => {
    const before = JSON.stringify(stateOfBeat(document, 2));
    const state = stateOfBeat(document, 2);
    state.request.changes.push({ at_us: 1, change: slower });
    state.request.knobs.clients = 3;
    expect(JSON.stringify(stateOfBeat(document, 2))).toBe(before);
  });
});

describe('the run of the beat before goes on', () => {
  const run = (beat: number) => stateOfBeat(document, beat).request;

  test('with what is new in it', () => {
    expect(stillToDo(run(1), 6 * SECOND, stateOfBeat(document, 2))).toEqual([{ at_us: 6 * SECOND, change: deploy }]);
    expect(stillToDo(run(2), 8 * SECOND, stateOfBeat(document, 3))).toEqual([{ at_us: 12 * SECOND, change: slower }]);
    expect(stillToDo(run(2), 6 * SECOND, stateOfBeat(document, 2))).toEqual([]);
  });

  test.each([
    ['went further', run(1), 6 * SECOND + 1, 2],
    ['is of another environment', run(0), 0, 1],
    ['had a change that the script has not', { ...run(1), changes: [{ at_us: SECOND, change: slower }] }, 2 * SECOND, 2],
    ['had its change at another moment', { ...run(2), changes: [{ at_us: 5 * SECOND, change: deploy }] }, 5 * SECOND, 3],
    ['had other knobs', { ...run(1), knobs: { clients: 2 } }, SECOND, 2],
    ['was of edited code', { ...run(1), sources: { 'naive.py': '' } }, SECOND, 2],
    ['is past the moment of a change', run(1), 7 * SECOND, 3],
  ])('unless it %s', (_, request, reached_us, beat) => {
    expect(stillToDo(request, reached_us, stateOfBeat(document, beat))).toBeNull();
  });

  test('in whatever order its fields are written', () => {
    const request = { ...run(2), changes: [{ change: { variant: 'lock', kind: 'variant' as const }, at_us: 6 * SECOND }] };
    expect(stillToDo(request, 6 * SECOND, stateOfBeat(document, 2))).toEqual([]);
  });
});

test('the address of a beat is read as it was written', () => {
  for (const beat of [-1, 0, 7, 41]) expect(readTalk(talkAddress({ scenario: 'write-skew', beat }))).toEqual({ scenario: 'write-skew', beat });
  expect(talkAddress({ scenario: 'oversell', beat: 2 })).toBe('#oversell/talk/3');
  for (const hash of ['', '#oversell', '#oversell/talk/', '#oversell/talk/x', '#oversell/talk/9999', '#v1.abc', '#/talk/1']) expect(readTalk(hash)).toBeNull();
});

describe('the chart of a talk', () => {
  const metric = { id: 'sold', label: 'sold', unit: 'count', kind: 'gauge', headline: true, better: 'zero' } as const;
  const chart = (values: (number | null)[], marks: Mark[] = [], more = {}) =>
    stageChart({ metric, times_s: values.map((_, place) => place + 1), values, marks, until_us: values.length * SECOND, width: 600, height: 400, font: 20, ...more });

  test('of which nothing is known yet has its axes', () => {
    for (const unit of ['count', 'bytes', 'ms', 'ratio', 'cents'] as const) {
      const { left, right, ticks, times } = chart([], [], { metric: { ...metric, unit }, until_us: 2 * SECOND });
      expect(left).toBeLessThan(right);
      expect(ticks.every(({ y }) => Number.isFinite(y))).toBe(true);
      expect(times.every(({ x }) => x >= left)).toBe(true);
    }
  });

  test('has room for its largest label', () => {
    for (const most of [1, 12, 999, 1_500, 98_765, 12_000_000]) {
      const { ticks, left } = chart([0, most]);
      for (const { label } of ticks) expect(label.length * 20 * 0.5).toBeLessThan(left);
      expect(ticks.length).toBeGreaterThan(1);
    }
    const bytes = chart([0, 68 * 1024 ** 2], [], { metric: { ...metric, unit: 'bytes' } });
    expect(bytes.ticks.map(({ label }) => label)).toEqual(['0', '20 MB', '40 MB', '60 MB']);
    const level = chart([60, 65, 61].map((mb) => mb * 1024 ** 2), [], { metric: { ...metric, unit: 'bytes' } });
    expect([level.ticks.map(({ label }) => label), level.area]).toEqual([['56 MB', '58 MB', '60 MB', '62 MB', '64 MB'], '']);
    const cents = chart([0, 1_234_567], [], { metric: { ...metric, unit: 'cents' } });
    expect(cents.ticks.map(({ label }) => label)).toEqual(['0', '$5,000', '$10,000']);
  });

  test('draws values from its floor to below its top', () => {
    const { line, bottom, top } = chart([0, 10, null, 20]);
    const ys = [...line.matchAll(/ ([\d.]+)/g)].map(([, y]) => Number(y));
    expect(ys[0]).toBeCloseTo(bottom, 0);
    expect(Math.min(...ys)).toBeGreaterThan(top);
    expect(ys).toHaveLength(3);
  });

  test('names what happens again and again only twice', () => {
    const died = Array.from({ length: 9 }, (_, place): Mark => ({ at_us: place * SECOND, family: 'fault', label: 'died' }));
    expect(chart(Array.from({ length: 30 }, () => 1), died).marks.map(({ label }) => label).filter(Boolean)).toEqual(['died', 'died']);
  });

  test.each(['count', 'ms', 'cents', 'ratio', 'bytes'] as const)('has no label twice, of %s', (unit) => {
    for (const most of [0, 0.4, 1, 3, 7, 64, 5_000, 2_000_000]) {
      const labels = chart([0, most], [], { metric: { ...metric, unit } }).ticks.map(({ label }) => label);
      expect(labels).toEqual([...new Set(labels)]);
    }
  });

  test('has a line at zero when nothing happened', () => {
    const { line, ticks } = chart([0, 0, 0]);
    expect(line).toMatch(/^M/);
    expect(ticks.map(({ label }) => label)).toEqual(['0', '1']);
  });

  test('puts labels that would meet into rows, deploys first, and leaves out what has no room', () => {
    const mark = (second: number, family: Mark['family'], label: string): Mark => ({ at_us: second * SECOND, family, label });
    const long = 'a sentence that is rather long';
    const { marks } = chart([0, 1, 2, 3], [mark(0.1, 'broken', long), mark(0.2, 'broken', long), mark(0.3, 'broken', long), mark(0.4, 'deploy', 'deployed: Lock')]);
    expect(marks.map(({ family, label, y }) => [family, label, y])).toEqual([
      ['deploy', 'deployed: Lock', 18],
      ['broken', long, 46],
      ['broken', long, 74],
      ['broken', '', 18],
    ]);
  });
});
