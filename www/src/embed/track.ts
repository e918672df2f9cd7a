// A run as an embed keeps it: each frame with the stretch it lies in, so that any moment can be shown again without
// the engine.

import type { Frame, Recording, ScenarioDocument, TimedChange } from '../core/types';
import { headlineSince, type Headline } from '../draw/headline';
import { beginStretch, drained, outcome, variantAt, type Stretch } from '../state/judge';

type Rules = Pick<ScenarioDocument, 'metrics' | 'invariants'>;

/** A moment of a run, judged. */
export interface Step {
  frame: Frame;
  stretch: Stretch;
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
  /** Every request failed: nothing can be said of the rules. */
  | 'useless';

/** The one place of the embed that judges. */
export function verdict(step: Step | undefined): Verdict {
  if (!step) return 'open';
  const { requests, broken } = outcome(step.stretch, step.frame);
  if (broken > 0) return 'breaks';
  if (requests === 0) return 'open';
  if (!step.settled) return 'settling';
  return step.frame.requests.ok === 0 ? 'useless' : 'holds';
}

/** Of code that is expected to break: as long as what must not happen happens, it is not said to hold. */
export function verdictOfFirst(step: Step | undefined, headline: Headline | null): Verdict {
  const judged = verdict(step);
  const happened = step && headline ? headlineSince(headline, step.stretch, step.frame).total : 0;
  return judged === 'holds' && happened > 0 ? 'open' : judged;
}

/** A run as it was recorded, from its beginning to its end. */
export function recordedTrack(rules: Rules, { request, frames }: Pick<Recording, 'request' | 'frames'>): Track {
  const track = new Track(rules, request.variant);
  for (const frame of frames) track.append(frame, []);
  return track;
}

export class Track {
  /** Where it first broke a rule; null: it has not. */
  broke_us: number | null = null;

  #steps: Step[] = [];
  #rules: Rules;
  #variant: string;

  constructor(rules: Rules, variant: string) {
    this.#rules = rules;
    this.#variant = variant;
  }

  get reached_us(): number {
    return this.#steps.at(-1)?.frame.now_us ?? 0;
  }

  /** What is there already is not taken twice: a run that goes on elsewhere begins anew. */
  append(frame: Frame, changes: readonly TimedChange[]) {
    const deploy = frame.marks.findLast(({ family }) => family === 'deploy');
    const last = this.#steps.at(-1);
    if (last && frame.now_us <= last.frame.now_us && !(deploy && deploy.at_us > last.stretch.at_us)) return;
    const begun = deploy ? beginStretch(variantAt(changes, this.#variant, deploy.at_us), deploy.at_us, frame) : (last?.stretch ?? beginStretch(this.#variant, 0, null));
    const stretch = drained(begun, frame, this.#rules);
    const step = { frame, stretch, settled: stretch === begun && !deploy };
    this.#steps.push(step);
    if (outcome(stretch, frame).broken > 0) this.broke_us ??= frame.now_us;
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
    return this.#steps.find(({ stretch, settled }) => settled && stretch.at_us >= deployed_us)?.frame.now_us ?? null;
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
