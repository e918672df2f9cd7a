// The same traffic met by another variant: a second engine that goes along with the run and is drawn beside it.
// Same seed, same knobs, same arrivals; only the code differs.

import { Abandoned, absenceInWords, Engine, lossInWords } from '../core/client';
import type { Ask } from '../core/protocol';
import type { Answered, Change, Frame, RunRequest, Sample, ScenarioDocument } from '../core/types';
import { firstDivergence, type Divergence } from '../draw/divergence';

export class Comparison {
  /** Null: nothing is compared. */
  variant = $state<string | null>(null);
  frame = $state.raw<Frame | null>(null);
  /** Grows with every batch of samples; the array is only appended to or replaced. */
  revision = $state(0);
  samples: Sample[] = [];
  /** The first request the two answered differently. */
  divergence = $state.raw<Divergence | null>(null);

  #engine: Engine | null = null;
  #ready: Promise<void> | null = null;
  #run = 0;
  #failed: (reason: string) => void;

  constructor(failed: (reason: string) => void) {
    this.#failed = failed;
  }

  /** Begins at zero and goes to where the run is. */
  begin(variant: string, document: ScenarioDocument, request: RunRequest, reached_us: number): Promise<void> {
    this.variant = variant;
    this.frame = null;
    this.samples = [];
    this.divergence = null;
    this.revision += 1;
    const run = ++this.#run;
    return this.#loaded().then(() => {
      if (run !== this.#run) return;
      return this.#answered(this.#engine?.run({ run, document, request, catch_up_us: reached_us }));
    });
  }

  play(speed: number, until_us: number) {
    this.#ask({ kind: 'play', speed, until_us });
  }

  pause(at_us: number) {
    this.#ask({ kind: 'advance', until_us: at_us });
  }

  apply(change: Change) {
    this.#ask({ kind: 'apply', change });
  }

  /** Looks at what both were answered so far; once they differ they have differed. */
  async align(answers: Answered[], to_us: number) {
    const run = this.#run;
    if (!this.#engine || this.divergence) return;
    try {
      const found = firstDivergence(answers, await this.#engine.ask({ kind: 'answers', to_us }));
      if (run === this.#run) this.divergence = found;
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error;
    }
  }

  end() {
    this.variant = null;
    this.divergence = null;
    this.#run += 1;
    this.#engine?.stop();
    this.#engine = null;
    this.#ready = null;
  }

  #loaded(): Promise<void> {
    this.#ready ??= new Promise((resolve) => {
      this.#engine = new Engine({
        ready: () => resolve(),
        frame: (frame, run) => {
          if (run !== this.#run) return;
          this.frame = frame;
          this.samples.push(...frame.samples);
          if (frame.samples.length > 0) this.revision += 1;
        },
        restarted: (loss) => this.#lost(lossInWords(loss)),
        unavailable: (absence) => this.#lost(absenceInWords(absence)),
      });
      this.#engine.start();
    });
    return this.#ready;
  }

  #lost(reason: string) {
    this.end();
    this.#failed(`The comparison ended. ${reason}`);
  }

  #ask(ask: Ask) {
    void this.#answered(this.#engine?.ask(ask));
  }

  async #answered(answer: Promise<unknown> | undefined): Promise<void> {
    try {
      await answer;
    } catch (error) {
      if (!(error instanceof Abandoned)) this.#lost(error instanceof Error ? error.message : String(error));
    }
  }
}
