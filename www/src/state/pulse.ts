// Time as the reader's screen has it.

export class Pulse {
  #next = 0;

  /** Calls `step` with the milliseconds since the last call, once for each picture, until it is stopped. */
  start(step: (passed_ms: number) => void) {
    this.stop();
    let last = performance.now();
    const beat = (at: number) => {
      const passed_ms = Math.max(0, at - last);
      last = at;
      this.#next = requestAnimationFrame(beat);
      step(passed_ms);
    };
    this.#next = requestAnimationFrame(beat);
  }

  stop() {
    cancelAnimationFrame(this.#next);
  }
}
