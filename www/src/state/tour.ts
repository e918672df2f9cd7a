// The tour a scenario gives of itself in some ten seconds: my machine, production, the first collision slowed, the break,
// the fix, the recovery. What is written here is a plan, made of a recorded run; the director carries it out.

import type { Recording } from '../core/types';
import { extentOf } from '../draw/collision';

export type SceneName = 'machine' | 'question' | 'approach' | 'collision' | 'break' | 'recovery';

export interface Scene {
  name: SceneName;
  /** The moment of the run at which it is over; null: it lasts its time. */
  until_us: number | null;
  /** Virtual seconds a second of the reader's. */
  speed: number;
  /** In the reader's time; scenes with a moment last about so long. */
  lasts_ms: number;
}

const MACHINE_MS = 1_500;
const QUESTION_MS = 1_200;
const APPROACH_MS = 900;
const COLLISION_MS = 2_600;
const BREAK_MS = 2_200;
const RECOVERY_MS = 2_200;
const SLOWEST = 0.0005;
const FASTEST = 16;

/** From where on a reader's own production is directed: up to the break, and no further. */
export const READERS_OWN: readonly SceneName[] = ['approach', 'collision', 'break'];

/** Of a run of naive code in production; null: it was not seen to break, so there is nothing to show. */
export function planTour(production: Recording | null): Scene[] | null {
  const deploy_us = production?.recovery?.request.changes.at(-1)?.at_us;
  const ends_us = production?.recovery?.frames.at(-1)?.now_us;
  if (!production || deploy_us === undefined || ends_us === undefined) return null;
  const scenes: Scene[] = [
    { name: 'machine', until_us: null, speed: 1, lasts_ms: MACHINE_MS },
    { name: 'question', until_us: null, speed: 1, lasts_ms: QUESTION_MS },
  ];
  const [begins_us, extends_us] = production.collision ? extentOf(production.collision) : [0, 0];
  let at_us = 0;
  const to = (name: SceneName, until_us: number, lasts_ms: number) => {
    if (until_us <= at_us) return;
    scenes.push({ name, until_us, speed: paceOver(until_us - at_us, lasts_ms), lasts_ms });
    at_us = until_us;
  };
  if (begins_us < deploy_us) {
    to('approach', begins_us, Math.min(APPROACH_MS, begins_us / 1_000));
    to('collision', Math.min(extends_us, deploy_us), COLLISION_MS);
  }
  to('break', deploy_us, BREAK_MS);
  // Not every service comes back at once when its code is mended; who promises that shows it.
  if (production.recovery?.frames.at(-1)?.stretches.at(-1)?.verdict === 'holds') to('recovery', ends_us, RECOVERY_MS);
  return scenes;
}

function paceOver(virtual_us: number, lasts_ms: number): number {
  return Math.min(FASTEST, Math.max(SLOWEST, virtual_us / 1_000 / Math.max(1, lasts_ms)));
}
