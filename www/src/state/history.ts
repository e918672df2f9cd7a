// The frames of a run, oldest first, by their moments.

import type { Frame } from '../core/types';

const FRAMES_MOST = 6_000;
/** The latest are kept whole when every second one of the others goes. */
const LATEST = 500;

export class History {
  #frames: Frame[] = [];

  push(frame: Frame) {
    this.#frames.push({ ...frame, samples: [], marks: [], notices: [] });
    if (this.#frames.length > FRAMES_MOST) this.#frames = this.#frames.filter((_, index) => index % 2 === 0 || index > FRAMES_MOST - LATEST);
  }

  get last(): Frame | undefined {
    return this.#frames.at(-1);
  }

  /** The latest that is not after a moment; the first when all are. */
  at(at_us: number): Frame | undefined {
    let low = 0;
    let high = this.#frames.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#frames[middle]!.now_us <= at_us) low = middle;
      else high = middle - 1;
    }
    return this.#frames[low];
  }

  after(at_us: number): Frame | undefined {
    return this.#frames.find(({ now_us }) => now_us > at_us);
  }

  before(at_us: number): Frame | undefined {
    return this.#frames.findLast(({ now_us }) => now_us < at_us);
  }
}
