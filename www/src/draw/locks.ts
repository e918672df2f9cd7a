// Who waits for whom at a moment, read from the timeline: a forest of holders with their waiters, or a ring when it is
// a deadlock.

import type { Span, Timeline } from '../core/types';

export interface Waiter {
  lane: number;
  label: string;
  /** The waiting span; none for a holder that waits for nobody. */
  span: Span | null;
  /** Since when it waits, seen from the moment. */
  for_us: number;
  behind: Waiter[];
  /** It waits, through others, for itself. */
  deadlocked: boolean;
}

/** Holders first that keep most others waiting. */
export function waiting(timeline: Timeline, at_us: number): Waiter[] {
  const waits = new Map<number, { span: Span; holder: number }>();
  for (const span of timeline.spans) {
    if (span.family !== 'lock-wait' || span.from_us > at_us || (span.to_us !== null && span.to_us <= at_us)) continue;
    const arrow = timeline.arrows.findLast(({ from_lane, at_us: since }) => from_lane === span.lane && since >= span.from_us && since <= at_us);
    if (arrow) waits.set(span.lane, { span, holder: arrow.to_lane });
  }
  const ringed = new Set([...waits.keys()].filter((lane) => reaches(waits, lane)));
  const behind = (holder: number, above: Set<number>): Waiter[] =>
    [...waits]
      .filter(([lane, wait]) => wait.holder === holder && !above.has(lane))
      .map(([lane]) => node(lane, new Set([...above, lane])))
      .sort((a, b) => b.for_us - a.for_us);
  const node = (lane: number, above: Set<number>): Waiter => {
    const span = waits.get(lane)?.span ?? null;
    return {
      lane,
      label: timeline.lanes[lane]?.label ?? '',
      span,
      for_us: span ? at_us - span.from_us : 0,
      behind: behind(lane, above),
      deadlocked: ringed.has(lane),
    };
  };
  const holders = new Set([...waits.values()].map(({ holder }) => holder).filter((lane) => !waits.has(lane)));
  const roots = [...holders].map((lane) => node(lane, new Set([lane])));
  // A ring has no holder at its head: its first lane stands there.
  const covered = new Set<number>();
  for (const lane of [...ringed].sort((a, b) => a - b)) {
    if (covered.has(lane)) continue;
    for (let next = lane; !covered.has(next); next = waits.get(next)!.holder) covered.add(next);
    roots.push(node(lane, new Set([lane])));
  }
  return roots.sort((a, b) => Number(b.deadlocked) - Number(a.deadlocked) || size(b) - size(a));
}

export function size(waiter: Waiter): number {
  return waiter.behind.reduce((sum, next) => sum + 1 + size(next), 0);
}

function reaches(waits: Map<number, { holder: number }>, lane: number): boolean {
  const seen = new Set<number>();
  let next = waits.get(lane)?.holder;
  while (next !== undefined && !seen.has(next)) {
    if (next === lane) return true;
    seen.add(next);
    next = waits.get(next)?.holder;
  }
  return false;
}
