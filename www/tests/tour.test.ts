import { describe, expect, test } from 'vitest';
import type { Recording } from '../src/core/types';
import { planTour, READERS_OWN } from '../src/state/tour';
import { frame, recording, request, stretch } from './runs';

const SECOND = 1_000_000;
const broken = { ok: 40, oversold: 5, stock: 2 };

function recovering(own: Parameters<typeof stretch>[0]): Recording {
  const deployed = { ...request, changes: [{ at_us: 4 * SECOND, change: { kind: 'variant' as const, variant: 'lock' } }] };
  const frames = [4, 10].map((second) => frame(second * SECOND, broken, [stretch(broken), stretch(own, 'lock', 4 * SECOND)]));
  return { ...recording([frame(SECOND, { ok: 10 }), frame(3 * SECOND, broken)]), recovery: { request: deployed, schedule: '', trace_hash: '', frames } };
}

describe('a tour', () => {
  test('goes from one’s own machine to the break, and to the recovery where the fix holds', () => {
    expect(planTour(recovering({ ok: 50 }))!.map(({ name }) => name)).toEqual(['machine', 'question', 'break', 'recovery']);
  });

  test('ends with the break where the deploy alone does not end it', () => {
    expect(planTour(recovering({ ok: 50, stock: 1 }))!.map(({ name }) => name)).toEqual(['machine', 'question', 'break']);
  });

  test('of what was not seen to break is none', () => {
    expect(planTour(null)).toBeNull();
    expect(planTour(recording([frame(SECOND, { ok: 10 })]))).toBeNull();
  });

  test('takes some ten seconds', () => {
    const lasts_ms = planTour(recovering({ ok: 50 }))!.reduce((sum, scene) => sum + scene.lasts_ms, 0);
    expect(lasts_ms).toBeLessThan(12_000);
  });

  test('of which a reader’s own production is a part shows no fix', () => {
    expect(READERS_OWN).not.toContain('recovery');
  });
});
