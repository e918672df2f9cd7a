// Whether code holds: it meets production with twenty seeds, in an engine of its own, until with one it does not.

import { Abandoned, absenceInWords, Engine, lossInWords } from '../core/client';
import type { Frame, RunRequest, ScenarioDocument, Verdict } from '../core/types';
import { stretchOf } from './judge';

export const SEEDS = 20;

export class Proof {
  state = $state<'idle' | 'running' | 'holds' | 'refuted' | 'failed'>('idle');
  /** Seeds that held. */
  held = $state(0);
  /** The seed with which it does not hold, and what it does then. */
  seed = $state(0);
  verdict = $state<Verdict>('open');
  reason = $state('');
  /** What `twoam replay` verifies, once it holds. */
  code = $state('');

  #engine: Engine | null = null;
  #last: Frame | null = null;
  #attempt = 0;

  async start(document: ScenarioDocument, request: Omit<RunRequest, 'seed'>) {
    this.cancel();
    const attempt = ++this.#attempt;
    this.state = 'running';
    this.held = 0;
    this.code = '';
    const until_us = 1_000_000 * (document.environments.find(({ id }) => id === request.environment)?.length_s ?? 60);
    try {
      await this.#load();
      for (let seed = 1; seed <= SEEDS; seed++) {
        await this.#engine?.run({ run: seed, document, request: { ...request, seed }, catch_up_us: until_us });
        if (attempt !== this.#attempt) return;
        const verdict = stretchOf(this.#last)?.verdict ?? 'open';
        if (verdict !== 'holds') {
          this.seed = seed;
          this.verdict = verdict;
          this.#end('refuted');
          return;
        }
        this.held = seed;
      }
      const schedule = await this.#engine?.ask({ kind: 'schedule' });
      if (attempt !== this.#attempt || !schedule) return;
      // One word that no shell takes apart.
      this.code = schedule.replaceAll(' ', '+');
      this.#end('holds');
    } catch (error) {
      if (attempt !== this.#attempt || error instanceof Abandoned) return;
      this.reason = error instanceof Error ? error.message : String(error);
      this.#end('failed');
    }
  }

  cancel() {
    this.#attempt += 1;
    this.#end('idle');
  }

  #load(): Promise<void> {
    return new Promise((resolve, reject) => {
      const lost = (reason: string) => {
        this.reason = reason;
        this.#end('failed');
        reject(new Abandoned(reason));
      };
      this.#engine = new Engine({
        ready: () => resolve(),
        frame: (frame) => (this.#last = frame),
        restarted: (loss) => lost(lossInWords(loss)),
        unavailable: (absence) => lost(absenceInWords(absence)),
      });
      this.#engine.start();
    });
  }

  #end(state: Proof['state']) {
    this.state = state;
    this.#engine?.stop();
    this.#engine = null;
  }
}
