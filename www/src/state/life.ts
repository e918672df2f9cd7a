// How a run stands: one value, so that nothing can be true of it that contradicts something else. What happens to a
// run leads from one to the next.

export type Life =
  /** Nothing was begun, nothing was recorded, or it could not start. */
  | { of: 'nothing' }
  /** Made at build time, gone through in the page. */
  | { of: 'recorded'; phase: 'paused' | 'replaying' }
  /** The engine is on its way to the moment that was asked for, and then goes on or stands still. */
  | { of: 'live'; phase: 'beginning'; then: 'running' | 'paused' }
  /** `replaying`: the page goes through what has already happened, until it meets the engine. */
  | { of: 'live'; phase: 'paused' | 'running' | 'replaying' | 'ended' };

/** Whether time goes on, or will as soon as it can. */
export function isPlaying(life: Life): boolean {
  if (life.of === 'nothing') return false;
  if (life.phase === 'beginning') return life.then === 'running';
  return life.phase === 'running' || life.phase === 'replaying';
}

/** The reader plays; `behind`: the moment looked at is before the latest. */
export function played(life: Life, behind: boolean): Life {
  if (life.of === 'nothing') return life;
  if (life.of === 'recorded') return { of: 'recorded', phase: behind ? 'replaying' : 'paused' };
  if (life.phase === 'beginning') return { ...life, then: 'running' };
  if (life.phase === 'ended') return life;
  return { of: 'live', phase: behind ? 'replaying' : 'running' };
}

/** The reader pauses, or the engine is lost. */
export function paused(life: Life): Life {
  if (life.of === 'nothing') return life;
  if (life.of === 'recorded') return { of: 'recorded', phase: 'paused' };
  if (life.phase === 'beginning') return { ...life, then: 'paused' };
  if (life.phase === 'ended') return life;
  return { of: 'live', phase: 'paused' };
}

/** The engine came to where the run was to begin. */
export function begun(life: Life): Life {
  return life.of === 'live' && life.phase === 'beginning' ? { of: 'live', phase: life.then } : life;
}

/** The page went through all that has happened. */
export function caughtUp(life: Life): Life {
  if (life.of === 'nothing' || life.phase !== 'replaying') return life;
  return life.of === 'live' ? { of: 'live', phase: 'running' } : { of: 'recorded', phase: 'paused' };
}

/** The engine went to the end of the run. */
export function ended(life: Life): Life {
  return life.of === 'live' && life.phase === 'running' ? { of: 'live', phase: 'ended' } : life;
}
