import { describe, expect, test } from 'vitest';
import { beginStretch, brokenSentences, brokenSince, drained, metricSince, outcome, stretchAt, variantAt } from '../src/state/judge';
import { document, frame } from './runs';

const SECOND = 1_000_000;

describe('an outcome', () => {
  test('of the first stretch is all that happened', () => {
    const stretch = beginStretch('naive', 0, null);
    expect(outcome(stretch, frame(SECOND, { ok: 40, failed: 2, stock: 3, paid: 1 }))).toEqual({ requests: 42, broken: 4 });
  });

  test('of what was deployed leaves out what came before it', () => {
    const stretch = beginStretch('lock', 5 * SECOND, frame(5 * SECOND, { ok: 100, stock: 7 }));
    expect(outcome(stretch, frame(20 * SECOND, { ok: 160, stock: 7 }))).toEqual({ requests: 60, broken: 0 });
    expect(outcome(stretch, frame(20 * SECOND, { ok: 160, stock: 8 }))).toEqual({ requests: 60, broken: 1 });
  });
});

describe('what an old variant leaves behind', () => {
  const deployed = (variant: string) => beginStretch(variant, 5 * SECOND, frame(5 * SECOND, { ok: 100, sold: 50, oversold: 4, stock: 4 }));

  test('is not counted against hardened code while it lasts', () => {
    const late = frame(11 * SECOND, { ok: 120, sold: 60, oversold: 6, stock: 6 });
    const stretch = drained(deployed('lock'), late, document);
    expect(outcome(stretch, late)).toEqual({ requests: 20, broken: 0 });
    expect(metricSince(stretch, late, 1)).toEqual({ total: 0, before: 6 });
  });

  test('takes with it no number that need not be zero', () => {
    const late = frame(11 * SECOND, { sold: 60, oversold: 6 });
    expect(metricSince(drained(deployed('lock'), late, document), late, 0)).toEqual({ total: 10, before: 50 });
  });

  test('has an end, after the longest time a rule lets rows stand: from then on it is counted', () => {
    const lock = deployed('lock');
    const last = 5 * SECOND + 6 * SECOND + 500_000;
    expect(drained(lock, frame(last - 1, { stock: 5 }), document).broken).toEqual([5, 0]);
    expect(drained(lock, frame(last, { stock: 5 }), document)).toBe(lock);
  });

  test('is soon over where naive code follows hardened code', () => {
    const naive = deployed('naive');
    expect(drained(naive, frame(6 * SECOND, { stock: 5 }), document).broken).toEqual([5, 0]);
    expect(drained(naive, frame(7 * SECOND, { stock: 5 }), document)).toBe(naive);
  });

  test('is nothing where the run begins', () => {
    const first = beginStretch('lock', 0, null);
    expect(drained(first, frame(SECOND, { stock: 1 }), document)).toBe(first);
  });
});

describe('a moment', () => {
  const stretches = [beginStretch('naive', 0, null), beginStretch('lock', 5 * SECOND, frame(5 * SECOND, { sold: 50, stock: 4 }))];

  test('lies in the stretch that began last before it', () => {
    expect(stretchAt(stretches, 4_999_999)?.variant).toBe('naive');
    expect(stretchAt(stretches, 5 * SECOND)?.variant).toBe('lock');
    expect(stretchAt([], 0)).toBeUndefined();
  });

  test('splits a total by where its stretch began', () => {
    const now = frame(6 * SECOND, { sold: 53, stock: 5 });
    expect(metricSince(stretches[1], now, 0)).toEqual({ total: 3, before: 50 });
    expect(brokenSince(stretches[1], now, 0)).toEqual({ total: 1, before: 4 });
    expect(brokenSince(stretches[0], now, 0)).toEqual({ total: 5, before: 0 });
  });

  test('without a frame has nothing', () => {
    expect(metricSince(stretches[1], null, 0)).toEqual({ total: 0, before: 0 });
  });

  test('runs what was deployed last before it', () => {
    const changes = [
      { at_us: SECOND, change: { kind: 'knob', knob: 'clients', value: 3 } },
      { at_us: 2 * SECOND, change: { kind: 'variant', variant: 'lock' } },
      { at_us: 4 * SECOND, change: { kind: 'variant', variant: 'naive' } },
    ] as const;
    expect([SECOND, 2 * SECOND, 3 * SECOND, 9 * SECOND].map((at_us) => variantAt(changes, 'naive', at_us))).toEqual(['naive', 'lock', 'lock', 'naive']);
  });
});

test('what is broken is said in the scenario’s sentences, and only what is', () => {
  expect(brokenSentences(document, frame(SECOND))).toBe('');
  expect(brokenSentences(document, frame(SECOND, { paid: 2 }))).toBe('an order was not paid');
  expect(brokenSentences(document, frame(SECOND, { stock: 1, paid: 2 }))).toBe('more was sold than was there; an order was not paid');
});
