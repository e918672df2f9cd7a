import { describe, expect, test } from 'vitest';
import { brokenSentences, brokenSince, damageSince, metricSince, outcome, stretchOf } from '../src/state/judge';
import { damageOf } from '../src/draw/damage';
import { document, frame, stretch } from './runs';

const SECOND = 1_000_000;

describe('an outcome', () => {
  test('is the stretch’s own, in the scenario’s unit', () => {
    expect(outcome(stretch({ ok: 40, failed: 2, oversold: 9, stock: 3, paid: 1 }), document)).toEqual({ verdict: 'broken', damage: 9, cases: 4, requests: 42, edited: false });
    expect(outcome(stretch({ ok: 60 }, 'lock', 5 * SECOND), document)).toMatchObject({ verdict: 'holds', damage: 0, cases: 0, requests: 60 });
  });

  test('of code that nothing measures, or that only fails, is no green one', () => {
    expect(outcome({ ...stretch({ ok: 10 }), verdict: 'not-measured' }, document).verdict).toBe('not-measured');
    expect(outcome(stretch({ failed: 10 }), document).verdict).toBe('nothing-useful');
  });
});

describe('a moment', () => {
  const before = stretch({ ok: 100, sold: 50, oversold: 4, stock: 4 });
  const now = frame(6 * SECOND, { ok: 120, sold: 53, oversold: 5, stock: 5 }, [before, stretch({ ok: 20, sold: 3, oversold: 1, stock: 1 }, 'lock', 5 * SECOND)]);

  test('runs what was deployed last', () => {
    expect(stretchOf(now)?.variant).toBe('lock');
    expect(stretchOf(null)).toBeUndefined();
  });

  test('splits a total by where its stretch began', () => {
    expect(metricSince(now, 0)).toEqual({ total: 3, before: 50 });
    expect(brokenSince(now, 0)).toEqual({ total: 1, before: 4 });
    expect(damageSince(damageOf(document)!, now)).toEqual({ total: 1, before: 4 });
    expect(brokenSince(frame(SECOND, { stock: 5 }), 0)).toEqual({ total: 5, before: 0 });
  });

  test('without a frame has nothing', () => {
    expect(metricSince(null, 0)).toEqual({ total: 0, before: 0 });
    expect(brokenSince(null, 0)).toEqual({ total: 0, before: 0 });
  });
});

test('what is broken is said in the scenario’s sentences, and only what is', () => {
  expect(brokenSentences(document, frame(SECOND))).toBe('');
  expect(brokenSentences(document, frame(SECOND, { paid: 2 }))).toBe('an order was not paid');
  expect(brokenSentences(document, frame(SECOND, { stock: 1, paid: 2 }))).toBe('more was sold than was there; an order was not paid');
});
