// The page's side of the engine's thread: numbered requests as promises, and a watchdog that ends a thread which
// hangs or traps and starts another. It keeps no state of a run.

import type { Answer, Ask, Digest, Message } from './protocol';
import type { Answered, Frame, Report, TableNow } from './types';

/** Longer than any slice takes on a slow phone, shorter than a reader's patience. */
const SILENCE_MS = 4_000;
/** A run that begins starts an interpreter first, which on a busy machine takes its time. */
const BEGINNING_MS = 12_000;
const LOADING_MS = 60_000;
/** An interpreter leaves some megabytes behind when its run ends, and WebAssembly's memory never shrinks. */
const MEMORY_MOST = 400_000_000;

export interface EngineEvents {
  frame(frame: Frame, run: number, playing: boolean): void;
  /** The thread was ended and another is loading. */
  restarted(reason: string): void;
  /** The engine cannot run here at all. */
  unavailable(reason: string): void;
  ready(): void;
}

interface Pending {
  resolve(value: unknown): void;
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
  #worker: Worker | null = null;
  #events: EngineEvents;
  #pending = new Map<number, Pending>();
  #nextId = 1;
  #lastHeard = 0;
  #lastCheck = 0;
  #playing = false;
  #loaded = false;
  #beginning = false;
  #restarts: number[] = [];
  #memory = 0;

  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(events: EngineEvents) {
    this.#events = events;
  }

  start() {
    if (typeof WebAssembly === 'undefined' || typeof Worker === 'undefined') {
      this.#events.unavailable('This browser has no WebAssembly, so only the recorded runs can be shown.');
      return;
    }
    this.#watch ??= setInterval(() => this.#check(), 500);
    this.#launch(() => this.#events.ready());
  }

  #launch(ready: () => void) {
    this.#loaded = false;
    this.#memory = 0;
    this.#heard();
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = (event: MessageEvent<Answer>) => {
      if (worker === this.#worker) this.#receive(event.data);
    };
    worker.onerror = (event) => {
      if (worker !== this.#worker) return;
      event.preventDefault();
      if (this.#loaded) this.#restart('The engine stopped unexpectedly.');
      else this.#giveUp('The engine could not be loaded. The recorded runs still work; reload the page to try again.');
    };
    this.#worker = worker;
    this.ask({ kind: 'load' }).then(
      () => {
        this.#loaded = true;
        ready();
      },
      (error: Error) => {
        if (!(error instanceof Abandoned)) {
          this.#giveUp(`The engine could not be loaded (${error.message}). The recorded runs still work; reload the page to try again.`);
        }
      },
    );
  }

  /** Ends the thread for good. */
  stop() {
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#end();
  }

  ask(ask: Ask): Promise<unknown> {
    if (ask.kind === 'run' && this.#memory > MEMORY_MOST) {
      this.#end();
      this.#launch(() => {});
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (!this.#worker) {
        reject(new Abandoned('The engine is not there.'));
        return;
      }
      if (this.#pending.size === 0 && !this.#playing) this.#heard();
      const resolved = (value: unknown) => {
        if (ask.kind === 'run') this.#memory = value as number;
        resolve(value);
      };
      this.#pending.set(id, { resolve: resolved, reject });
      if (ask.kind === 'run') this.#beginning = true;
      if (ask.kind === 'play') this.#playing = true;
      if (ask.kind === 'pause') this.#playing = false;
      this.#worker.postMessage({ id, ask } satisfies Message);
    });
  }

  report(from_us: number, to_us: number): Promise<Report> {
    return this.ask({ kind: 'report', from_us, to_us }) as Promise<Report>;
  }

  digest(to_us: number): Promise<Digest> {
    return this.ask({ kind: 'digest', to_us }) as Promise<Digest>;
  }

  tables(at_us: number): Promise<TableNow[]> {
    return this.ask({ kind: 'tables', at_us }) as Promise<TableNow[]>;
  }

  answers(to_us: number): Promise<Answered[]> {
    return this.ask({ kind: 'answers', to_us }) as Promise<Answered[]>;
  }

  traceHash(): Promise<string> {
    return this.ask({ kind: 'trace-hash' }) as Promise<string>;
  }

  traceJson(): Promise<string> {
    return this.ask({ kind: 'trace-json' }) as Promise<string>;
  }

  schedule(): Promise<string> {
    return this.ask({ kind: 'schedule' }) as Promise<string>;
  }

  #receive(answer: Answer) {
    this.#heard();
    if ('frame' in answer) {
      this.#playing = answer.playing;
      this.#beginning = false;
      this.#worker?.postMessage({ id: 0, ask: { kind: 'seen' } } satisfies Message);
      this.#events.frame(answer.frame, answer.run, answer.playing);
      return;
    }
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ('error' in answer) {
      pending?.reject(new Refused(answer.error, answer.file, answer.line));
      if (answer.fatal && this.#loaded) this.#restart(`The engine stopped: ${answer.error}.`);
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
      if (silence > LOADING_MS) this.#giveUp('The engine took too long to load. The recorded runs still work; reload the page to try again.');
    } else if (silence > (this.#beginning ? BEGINNING_MS : SILENCE_MS)) {
      this.#restart(`The engine did not answer for ${this.#beginning ? 'twelve' : 'four'} seconds.`);
    }
  }

  #restart(reason: string) {
    this.#end();
    const at = performance.now();
    this.#restarts = [...this.#restarts.filter((time) => at - time < 60_000), at];
    if (this.#restarts.length > 5) {
      this.#events.unavailable(`${reason} It was restarted five times within a minute; reload the page to try again. Your code is kept.`);
      return;
    }
    this.#events.restarted(reason);
    this.start();
  }

  #giveUp(reason: string) {
    this.#end();
    this.#events.unavailable(reason);
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
