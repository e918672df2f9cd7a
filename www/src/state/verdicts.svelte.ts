// What the judge says of the run, kept for the views: of each corner since the scenario was opened, and of the
// stretch that is looked at.

import { corner } from '../core/scenario';
import type { Frame, RunRequest, ScenarioDocument } from '../core/types';
import { beginStretch, brokenSentences, brokenSince, drained, metricSince, outcome, stretchAt, type Outcome, type Since, type Stretch } from './judge';

export class Verdicts {
  outcomes = $state<{ [corner in string]: Outcome }>({});
  /** Told to screen readers when it changes. */
  announcement = $state('');

  #stretches = $state.raw<readonly Stretch[]>([]);
  #looked = $state.raw<Frame | null>(null);
  #stretch = $derived(stretchAt(this.#stretches, this.#looked?.now_us ?? 0));
  #document: ScenarioDocument | null = null;
  #environment = '';
  #broken = 0;

  /** Another run, which is looked at from its beginning unless something else stays in view. */
  begin(document: ScenarioDocument, { variant, environment }: RunRequest, keepView: boolean) {
    this.#document = document;
    this.#environment = environment;
    this.#stretches = [beginStretch(variant, 0, null)];
    this.#broken = 0;
    if (!keepView) this.#looked = null;
  }

  /** Another scenario: nothing of it has run yet. */
  forget() {
    this.outcomes = {};
  }

  deployed(variant: string, at_us: number, frame: Frame) {
    this.#stretches = [...this.#stretches, beginStretch(variant, at_us, frame)];
  }

  judge(frame: Frame) {
    const last = this.#stretches.at(-1);
    if (!last || !this.#document) return;
    const stretch = drained(last, frame, this.#document);
    if (stretch !== last) this.#stretches = this.#stretches.with(-1, stretch);
    const found = outcome(stretch, frame);
    this.outcomes[corner(stretch.variant, this.#environment)] = found;
    if (found.broken > 0 && this.#broken === 0) this.announcement = `Broken: ${brokenSentences(this.#document, frame)}`;
    this.#broken = found.broken;
  }

  lookAt(frame: Frame) {
    this.#looked = frame;
  }

  /** Since the variant that runs at the cursor was deployed; the whole run when none was. */
  since(metric: number): Since {
    return metricSince(this.#stretch, this.#looked, metric);
  }

  brokenSince(invariant: number): Since {
    return brokenSince(this.#stretch, this.#looked, invariant);
  }

  /** When the variant that runs at the cursor was deployed; null: it ran from the start. */
  get deployed_us(): number | null {
    const stretch = this.#stretch;
    return stretch && stretch.at_us > 0 ? stretch.at_us : null;
  }
}
