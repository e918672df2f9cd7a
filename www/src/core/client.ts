// The page's side of the engine's thread: numbered requests as promises, and a watchdog that ends a thread which
// hangs or traps and starts another. It keeps no state of a run.

import type { Answer, Ask, AskOf, Message, Replies, Reply } from './protocol';
import { ownThread, type Thread } from './thread';
import type { Frame } from './types';

/** Longer than any slice takes on a slow phone, shorter than a reader's patience: */
const SILENCE_MS = 4_000;
/** or so many times as long as a run has taken to begin, on a machine that is busy with something else. */
const SLICES = 2;
/** A run that begins starts an interpreter first, which on a busy machine takes its time: */
const BEGINNING_MS = 12_000;
/** or so many times as long as one has taken before. */
const BEGINNINGS = 5;
/** Without another byte of the engine, and while it is compiled. */
const LOADING_MS = 60_000;
/** An interpreter leaves some megabytes behind when its run ends, and WebAssembly's memory never shrinks. */
const MEMORY_MOST = 400_000_000;
const RESTARTS_MOST = 5;

/** Why a thread was ended. */
export type Loss = { why: 'crashed' } | { why: 'stopped'; error: string } | { why: 'silent'; seconds: number };

/** Why there is no engine here. */
export type Absence =
  | { why: 'no-webassembly' }
  | { why: 'not-loaded'; error: string | null }
  | { why: 'stalled' }
  | { why: 'restarted-too-often'; loss: Loss };

export interface EngineEvents {
  frame(frame: Frame, run: number, playing: boolean): void;
  /** The thread was ended and another is loading. */
  restarted(loss: Loss): void;
  /** The engine cannot run here at all. */
  unavailable(absence: Absence): void;
  /** `restarted`: it takes the place of one that was lost. */
  ready(restarted: boolean): void;
  /** How much of the engine has come, of 1. */
  loading?(share: number): void;
}

/** An answer has the number of its ask, and so is of its kind. */
interface Pending<R extends Reply = Reply> {
  resolve(reply: R): void;
  reject(error: Error): void;
}

/** The thread it was sent to is gone; whoever asked need not tell anybody. */
export class Abandoned extends Error {}

/** What the engine refuses, and where in the reader's code when it is at fault. */
export class Refused extends Error {
  readonly file: string | null;
  readonly line: number | null;

  constructor(message: string, file: string | null, line: number | null) {
    super(message);
    this.file = file;
    this.line = line;
  }
}

export class Engine {
  #worker: Thread | null = null;
  #events: EngineEvents;
  #newThread: () => Thread;
  #pending = new Map<number, Pending>();
  #nextId = 1;
  #lastHeard = 0;
  #lastCheck = 0;
  #playing = false;
  #loaded = false;
  #beginning = false;
  /** The longest that a run took to begin, in milliseconds. */
  #longestBeginning = 0;
  #restarts: number[] = [];
  #memory = 0;

  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(events: EngineEvents, newThread: () => Thread = ownThread) {
    this.#events = events;
    this.#newThread = newThread;
  }

  start() {
    if (typeof WebAssembly === 'undefined' || typeof Worker === 'undefined') {
      this.#events.unavailable({ why: 'no-webassembly' });
      return;
    }
    this.#watch ??= setInterval(() => this.#check(), 500);
    this.#launch(() => this.#events.ready(false));
  }

  #launch(ready: () => void) {
    this.#loaded = false;
    this.#memory = 0;
    this.#heard();
    const worker = this.#newThread();
    worker.onmessage = (event) => {
      if (worker === this.#worker) this.#receive(event.data);
    };
    worker.onerror = (event) => {
      if (worker !== this.#worker) return;
      event.preventDefault();
      if (this.#loaded) this.#restart({ why: 'crashed' });
      else this.#giveUp({ why: 'not-loaded', error: null });
    };
    this.#worker = worker;
    this.ask({ kind: 'load' }).then(
      () => {
        this.#loaded = true;
        ready();
      },
      (error: Error) => {
        if (!(error instanceof Abandoned)) this.#giveUp({ why: 'not-loaded', error: error.message });
      },
    );
  }

  /** Ends the thread for good. */
  stop() {
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#end();
  }

  /** Begins a run, in a thread of its own when the last one has left too much behind. */
  async run(ask: Omit<AskOf<'run'>, 'kind'>): Promise<void> {
    if (this.#memory > MEMORY_MOST) {
      this.#end();
      this.#launch(() => {});
    }
    const began = performance.now();
    this.#memory = await this.ask({ kind: 'run', ...ask });
    this.#longestBeginning = Math.max(this.#longestBeginning, performance.now() - began);
  }

  ask<A extends Ask>(ask: A): Promise<Replies[A['kind']]> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (!this.#worker) {
        reject(new Abandoned('The engine is not available.'));
        return;
      }
      if (this.#pending.size === 0 && !this.#playing) this.#heard();
      const pending: Pending<Replies[A['kind']]> = { resolve, reject };
      this.#pending.set(id, pending);
      if (ask.kind === 'run') this.#beginning = true;
      if (ask.kind === 'play') this.#playing = true;
      if (ask.kind === 'pause') this.#playing = false;
      this.#worker.postMessage({ id, ask } satisfies Message);
    });
  }

  #receive(answer: Answer) {
    this.#heard();
    if ('loaded' in answer) {
      this.#events.loading?.(answer.loaded);
      return;
    }
    if ('frame' in answer) {
      this.#playing = answer.playing;
      this.#beginning = false;
      this.#worker?.postMessage('seen' satisfies Message);
      this.#events.frame(answer.frame, answer.run, answer.playing);
      return;
    }
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ('error' in answer) {
      pending?.reject(new Refused(answer.error, answer.file, answer.line));
      if (answer.fatal && this.#loaded) this.#restart({ why: 'stopped', error: answer.error });
      return;
    }
    pending?.resolve(answer.value);
  }

  #heard() {
    this.#lastHeard = performance.now();
  }

  #check() {
    const at = performance.now();
    // The computer slept or the tab lay in the background: silence means nothing then.
    if (at - this.#lastCheck > 2_000) this.#heard();
    this.#lastCheck = at;
    const waiting = this.#pending.size > 0 || this.#playing;
    if (!this.#worker || !waiting) return;
    const silence = at - this.#lastHeard;
    if (!this.#loaded) {
      if (silence > LOADING_MS) this.#giveUp({ why: 'stalled' });
      return;
    }
    const [least, times] = this.#beginning ? [BEGINNING_MS, BEGINNINGS] : [SILENCE_MS, SLICES];
    const patience = Math.max(least, times * this.#longestBeginning);
    if (silence > patience) this.#restart({ why: 'silent', seconds: Math.round(silence / 1_000) });
  }

  #restart(loss: Loss) {
    this.#end();
    const at = performance.now();
    this.#restarts = [...this.#restarts.filter((time) => at - time < 60_000), at];
    if (this.#restarts.length > RESTARTS_MOST) {
      this.#events.unavailable({ why: 'restarted-too-often', loss });
      return;
    }
    this.#events.restarted(loss);
    this.#launch(() => this.#events.ready(true));
  }

  #giveUp(absence: Absence) {
    this.#end();
    this.#events.unavailable(absence);
  }

  #end() {
    this.#worker?.terminate();
    this.#worker = null;
    this.#playing = false;
    this.#beginning = false;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(new Abandoned('The engine was restarted.'));
  }
}

export function lossInWords(loss: Loss): string {
  switch (loss.why) {
    case 'crashed':
      return 'The engine stopped unexpectedly.';
    case 'stopped':
      return `The engine stopped: ${loss.error}.`;
    case 'silent':
      return `The engine did not answer for ${loss.seconds} seconds.`;
  }
}

export function absenceInWords(absence: Absence): string {
  const again = 'The recorded runs still work; reload the page to try again.';
  switch (absence.why) {
    case 'no-webassembly':
      return 'This browser has no WebAssembly, so only the recorded runs can be shown.';
    case 'not-loaded':
      return `The engine could not be loaded${absence.error === null ? '' : ` (${absence.error})`}. ${again}`;
    case 'stalled':
      return `Nothing of the engine has arrived for a minute. ${again}`;
    case 'restarted-too-often':
      return `${lossInWords(absence.loss)} It was restarted five times within a minute; reload the page to try again. Your code is kept.`;
  }
}
