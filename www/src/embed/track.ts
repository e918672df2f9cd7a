// A run as an embed keeps it: each frame with the stretch it lies in, so that any moment can be shown again without
// the engine.

import type { Frame, Recording, Stretch } from '../core/types';
import { outcome, stretchOf, type Outcome, type Rules } from '../state/judge';

/** A moment of a run, judged. */
export interface Step {
  frame: Frame;
  stretch: Stretch;
  outcome: Outcome;
  /** What came before the stretch has ended: what breaks from now on is its own. */
  settled: boolean;
}

export type Verdict =
  /** Nothing was answered yet. */
  | 'open'
  | 'holds'
  | 'breaks'
  /** It breaks nothing, but what ran before it is still ending. */
  | 'settling'
  /** No rule reads what it writes. */
  | 'unmeasured'
  /** No request was answered with anything of use: nothing can be said of the rules. */
  | 'useless';

/** The one place of the embed that judges. */
export function verdict(step: Step | undefined): Verdict {
  if (!step || step.outcome.verdict === 'open') return 'open';
  if (step.outcome.verdict === 'broken') return 'breaks';
  if (!step.settled) return 'settling';
  return step.outcome.verdict === 'holds' ? 'holds' : step.outcome.verdict === 'not-measured' ? 'unmeasured' : 'useless';
}

/** A run as it was recorded, from its beginning to its end. */
export function recordedTrack(rules: Rules, { frames }: Pick<Recording, 'frames'>): Track {
  const track = new Track(rules);
  for (const frame of frames) track.append(frame);
  return track;
}

export class Track {
  /** Where it first broke a rule; null: it has not. */
  broke_us: number | null = null;

  #steps: Step[] = [];
  #rules: Rules;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  get reached_us(): number {
    return this.#steps.at(-1)?.frame.now_us ?? 0;
  }

  /** What is there already is not taken twice: a run that goes on elsewhere begins anew. */
  append(frame: Frame) {
    const stretch = stretchOf(frame);
    const last = this.#steps.at(-1);
    if (!stretch || (last && frame.now_us <= last.frame.now_us && stretch.from_us <= last.stretch.from_us)) return;
    const settled = frame.now_us >= stretch.settles_us;
    const step = { frame, stretch, outcome: outcome(stretch, this.#rules), settled };
    this.#steps.push(step);
    if (step.outcome.verdict === 'broken') this.broke_us ??= frame.now_us;
  }

  /** The latest step that is not after a moment. */
  at(at_us: number): Step | undefined {
    return this.#steps[this.#after(at_us) - 1];
  }

  /** Up to a moment. */
  until(at_us: number): readonly Step[] {
    return this.#steps.slice(0, this.#after(at_us));
  }

  /** When what a deploy at a moment left behind had ended; null: it has not. */
  settledAfter(deployed_us: number): number | null {
    return this.#steps.find(({ stretch, settled }) => settled && stretch.from_us >= deployed_us)?.frame.now_us ?? null;
  }

  #after(at_us: number): number {
    let low = 0;
    let high = this.#steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#steps[middle]!.frame.now_us <= at_us) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
