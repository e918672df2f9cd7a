// What came out, kept for the views: of each corner since the scenario was opened, and of the moment that is looked at.

import type { Recordings } from '../core/catalogue';
import { corner } from '../core/scenario';
import type { Frame, RunRequest, ScenarioDocument } from '../core/types';
import { brokenSentences, brokenSince, metricSince, outcome, stretchOf, type Outcome, type Since } from './judge';

export type Outcomes = { [corner in string]: Outcome };

export class Verdicts {
  /** Of what was run in this page. */
  outcomes = $state<Outcomes>({});
  /** Of what was recorded when the site was built. */
  recorded = $state.raw<Outcomes>({});
  /** Told to screen readers when it changes. */
  announcement = $state('');

  #looked = $state.raw<Frame | null>(null);
  #document: ScenarioDocument | null = null;
  #environment = '';
  #broken = false;

  /** Another scenario: nothing of it has run yet, and this was recorded of it. */
  forget(document: ScenarioDocument, recordings: Recordings | null) {
    this.outcomes = {};
    const ends = Object.entries(recordings ?? {}).map(([name, { frames }]) => [name, stretchOf(frames.at(-1))] as const);
    this.recorded = Object.fromEntries(ends.flatMap(([name, stretch]) => (stretch ? [[name, outcome(stretch, document)]] : [])));
  }

  /** Another run, which is looked at from its beginning unless something else stays in view. */
  begin(document: ScenarioDocument, { environment }: RunRequest, keepView: boolean) {
    this.#document = document;
    this.#environment = environment;
    this.#broken = false;
    if (!keepView) this.#looked = null;
  }

  judge(frame: Frame) {
    const document = this.#document;
    if (!document) return;
    const found = frame.stretches.map((stretch) => [corner(stretch.variant, this.#environment), outcome(stretch, document)] as const);
    for (const [name, one] of found) this.outcomes[name] = one;
    const broken = found.some(([, { verdict }]) => verdict === 'broken');
    const sentences = broken && !this.#broken ? brokenSentences(document, frame) : '';
    if (sentences) this.announcement = `Broken: ${sentences}`;
    this.#broken = sentences !== '' || (broken && this.#broken);
  }

  /** The moment that is looked at. */
  get looked(): Frame | null {
    return this.#looked;
  }

  lookAt(frame: Frame) {
    this.#looked = frame;
  }

  /** Since the variant that runs at the cursor was deployed; the whole run when none was. */
  since(metric: number): Since {
    return metricSince(this.#looked, metric);
  }

  /** Something went wrong that no rule tells yet: requests that are under way could still mend it. */
  get unsettled(): boolean {
    const stretch = stretchOf(this.#looked);
    return stretch?.verdict === 'broken' && stretch.broken.every((cases) => cases === 0);
  }

  brokenSince(invariant: number): Since {
    return brokenSince(this.#looked, invariant);
  }

  /** When the variant that runs at the cursor was deployed; null: it ran from the start. */
  get deployed_us(): number | null {
    const from_us = stretchOf(this.#looked)?.from_us ?? 0;
    return from_us > 0 ? from_us : null;
  }
}
