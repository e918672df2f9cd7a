// How fast a run goes.

import type { Recording } from '../core/types';

/** Virtual seconds a second of the reader's; Infinity is as fast as it goes. */
export const SPEEDS = [0.001, 0.01, 0.1, 1, 4, Infinity] as const;
/** Where naive code takes longer than this to break, the run goes at the speed below until the reader chooses one. */
const SLOW_BREAK_US = 8_000_000;
const SLOW_BREAK_SPEED = 4;

/** So that nobody waits half a minute for a queue to grow. */
export function pace(run: Recording | undefined): number {
  if (!run) return 1;
  const broken = run.frames.find(({ invariants }) => invariants.some(({ broken_ever }) => broken_ever > 0));
  return broken && broken.now_us <= SLOW_BREAK_US ? 1 : SLOW_BREAK_SPEED;
}
