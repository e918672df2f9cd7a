// Who waits for whom at a moment: a forest of holders with their waiters, or a ring when it is a deadlock.

import type { LockWait } from '../core/types';

export interface Waiter {
  request: number;
  label: string;
  /** None for a holder that waits for nobody. */
  wait: LockWait | null;
  behind: Waiter[];
  /** It waits, through others, for itself. */
  deadlocked: boolean;
}

/** Holders first that keep most others waiting; of a ring, its first request stands at the head. */
export function forest(waits: readonly LockWait[]): Waiter[] {
  const waitOf = new Map(waits.map((wait) => [wait.request, wait]));
  /** Whoever has it; where nobody has, whoever stands before it. */
  const before = (wait: LockWait) => wait.holders.find(({ holds }) => holds) ?? wait.holders[0];
  const node = (request: number, label: string, above: ReadonlySet<number>): Waiter => {
    const wait = waitOf.get(request) ?? null;
    const behind = waits.filter((other) => before(other)?.request === request && !above.has(other.request)).sort((a, b) => a.since_us - b.since_us);
    return { request, label, wait, deadlocked: wait?.deadlocked ?? false, behind: behind.map((other) => node(other.request, other.label, new Set([...above, other.request]))) };
  };
  const heads = new Map<number, string>();
  for (const wait of waits) {
    const holder = before(wait);
    // Given free, and not gone on yet.
    if (!holder) heads.set(wait.request, wait.label);
    else if (!waitOf.has(holder.request)) heads.set(holder.request, holder.label);
  }
  const roots = [...heads].map(([request, label]) => node(request, label, new Set([request])));
  const covered = new Set<number>();
  for (const wait of waits.filter(({ deadlocked }) => deadlocked).toSorted((a, b) => a.request - b.request)) {
    if (covered.has(wait.request)) continue;
    for (let next: LockWait | undefined = wait; next && !covered.has(next.request); next = waitOf.get(before(next)?.request ?? -1)) covered.add(next.request);
    roots.push(node(wait.request, wait.label, new Set([wait.request])));
  }
  return roots.sort((a, b) => Number(b.deadlocked) - Number(a.deadlocked) || size(b) - size(a));
}

export function size(waiter: Waiter): number {
  return waiter.behind.reduce((sum, next) => sum + 1 + size(next), 0);
}
