// How the damage grew over a run: for each stretch the moments at which its amount changed. Between two of them it stood.

import type { Frame } from '../core/types';
import { amount, type Damage } from '../draw/damage';

export interface Turn {
  at_us: number;
  amount: number;
}

/** One variant's part of a run. */
export interface Leg {
  variant: string;
  from_us: number;
  /** Oldest first; empty where the run was first seen after the leg had ended. */
  turns: Turn[];
}

export class Course {
  legs: readonly Leg[] = [];

  /** Whether anything changed. */
  take(frame: Frame, damage: Damage): boolean {
    let changed = frame.stretches.length !== this.legs.length;
    this.legs = frame.stretches.map((stretch, place) => {
      const leg = this.legs[place] ?? { variant: stretch.variant, from_us: stretch.from_us, turns: [] };
      const now = amount(damage, stretch);
      const last = leg.turns.at(-1);
      if (last !== undefined && last.amount === now) return leg;
      changed = true;
      leg.turns.push({ at_us: Math.max(frame.now_us, stretch.from_us), amount: now });
      return leg;
    });
    return changed;
  }

  /** What is known up to a moment; what comes after it is another run. */
  until(at_us: number): Course {
    const course = new Course();
    course.legs = this.legs
      .filter(({ from_us }, place) => place === 0 || from_us <= at_us)
      .map((leg) => ({ ...leg, turns: leg.turns.filter((turn) => turn.at_us <= at_us) }));
    return course;
  }
}
