// The run and the moment looked at: live (the engine's), or recorded until the engine has arrived. It knows nothing of
// what is chosen on the page or drawn from it; who needs to know of its turns is told.

import { Abandoned, Engine, Refused } from '../core/client';
import type { Ask, Replies } from '../core/protocol';
import type { Change, Frame, LitLine, Mark, PageNotice, Recording, RunRequest, Sample, TimedChange } from '../core/types';
import { History } from './history';
import { stretchOf } from './judge';
import { begun, caughtUp, ended, isPlaying, paused, played, type Life } from './life';
import { Pulse } from './pulse';
import type { Beginning, Plan, RunTurns } from './turns';
import { Verdicts } from './verdicts.svelte';

const NOTICES_MOST = 20;
/** What has already happened is gone through at most this fast. */
const REPLAY_MOST = 16;

export class RunSession {
  engine = $state<'loading' | 'ready' | 'unavailable'>('loading');
  /** How much of it has come, of 1. */
  loaded = $state(0);
  life = $state.raw<Life>({ of: 'nothing' });
  readonly live = $derived(this.life.of === 'live');
  readonly beginning = $derived(this.life.of === 'live' && this.life.phase === 'beginning');
  readonly running = $derived(this.life.of === 'live' && this.life.phase === 'running');
  readonly ended = $derived(this.life.of === 'live' && this.life.phase === 'ended');
  readonly playing = $derived(isPlaying(this.life));
  frame = $state.raw<Frame | null>(null);
  /** The moment every view shows. */
  cursor_us = $state(0);
  /** How far the run has come. */
  reached_us = $state(0);
  /** Virtual seconds a second of the reader's. */
  speed = $state(1);
  /** Grows with every batch of samples and marks; both arrays are only ever appended to or replaced. */
  revision = $state(0);
  samples: Sample[] = [];
  marks: Mark[] = [];
  notices = $state.raw<PageNotice[]>([]);
  readonly recorded = $derived(!this.live && this.frame !== null);
  /** What runs now has broken something. */
  readonly broken = $derived(stretchOf(this.frame)?.verdict === 'broken');
  readonly verdicts = new Verdicts();

  /** Settled when the run has come to where it begins. */
  begun: Promise<void> = Promise.resolve();
  /** Settled when the engine stands where the page does. */
  halted: Promise<void> = Promise.resolve();
  /** Grows with every run. */
  number = 0;

  /** How much the engine still has to do before time stands still. */
  #unsettled = $state(0);
  readonly settling = $derived(this.#unsettled > 0);

  #engine: Engine;
  #engineAsked = false;
  #turns: RunTurns;
  #plan: Plan | null = null;
  #changes: TimedChange[] = [];
  #history = new History();
  #replay = new Pulse();
  /** Where it comes to stand by itself; null: at its end. */
  #until_us: number | null = null;
  /** Grows with every run, and with every way on in one. */
  #errand = 0;

  constructor(turns: RunTurns) {
    this.#turns = turns;
    this.#engine = new Engine({
      ready: (restarted) => {
        this.engine = 'ready';
        turns.engineReady(restarted);
      },
      loading: (share) => (this.loaded = share),
      frame: (frame, run) => this.#take(frame, run),
      restarted: (loss) => {
        this.engine = 'loading';
        this.#stand();
        turns.engineLost(loss);
      },
      unavailable: (absence) => {
        this.engine = 'unavailable';
        this.#stand();
        turns.engineAbsent(absence);
      },
    });
  }

  // What it is

  /** Nothing of it is left to play: to play is to begin another. */
  get over(): boolean {
    return this.ended || (!this.live && this.cursor_us >= this.reached_us);
  }

  /** Changes go into it, rather than into another run. */
  get changeable(): boolean {
    return this.live && !this.ended && this.reached_us > 0;
  }

  /** Where the run ends. */
  get horizon_us(): number {
    if (!this.live || !this.#plan) return this.reached_us;
    const { document, request } = this.#plan;
    return Math.max(1, document.environments.find(({ id }) => id === request.environment)?.length_s ?? 60) * 1_000_000;
  }

  /** Where it comes to stand. */
  get #stop_us(): number {
    return Math.min(this.horizon_us, this.#until_us ?? Infinity);
  }

  /** What is gone through while there is no engine. */
  get recording(): Recording | null {
    return this.#plan?.recording ?? null;
  }

  get activeLines(): LitLine[] {
    return this.frame?.lit ?? [];
  }

  /** All that the run depends on, with every change up to now. */
  get request(): RunRequest | null {
    return this.#plan && { ...this.#plan.request, changes: this.changes };
  }

  get changes(): TimedChange[] {
    return [...this.#changes];
  }

  // Beginning

  /** The engine is 3 MB: it is fetched when the first screen is there. */
  startEngine() {
    if (this.#engineAsked) return;
    this.#engineAsked = true;
    this.#engine.start();
  }

  begin(plan: Plan, { play = true, catch_up_us = 0, until_us, keepView = false }: Beginning = {}): Promise<void> {
    this.number += 1;
    this.#errand += 1;
    this.#replay.stop();
    this.#until_us = until_us ?? null;
    this.#plan = plan;
    this.#changes = [...plan.request.changes];
    this.#history = new History();
    this.samples = [];
    this.marks = [];
    this.notices = [];
    if (!keepView) {
      this.frame = null;
      this.cursor_us = 0;
      this.reached_us = 0;
    }
    this.revision += 1;
    this.verdicts.begin(plan.document, plan.request, keepView);
    this.#turns.began(keepView);
    if (this.engine === 'ready') this.begun = this.#beginLive(plan, catch_up_us, play);
    else this.#showRecorded(plan.recording, catch_up_us, play);
    return this.begun;
  }

  async #beginLive({ document }: Plan, catch_up_us: number, play: boolean) {
    this.life = { of: 'live', phase: 'beginning', then: play ? 'running' : 'paused' };
    const { number } = this;
    try {
      await this.#engine.run({ run: number, document, request: this.request!, catch_up_us });
      if (number === this.number) this.#arrive();
    } catch (error) {
      if (number !== this.number || error instanceof Abandoned) return;
      this.life = this.frame ? { of: 'recorded', phase: 'paused' } : { of: 'nothing' };
      if (error instanceof Refused && error.file) this.notices = [{ severity: 'error', text: error.message, file: error.file, line: error.line }];
      this.#turns.refused(error);
    }
  }

  /**
   * Takes a live run on to a moment it has not come to, at which something may be changed, and from there. False: it was
   * further than it seemed.
   */
  async goOn({ at_us, change, until_us, play }: { at_us: number; change: Change | null; until_us: number; play: boolean }): Promise<boolean> {
    this.#replay.stop();
    this.#until_us = until_us;
    this.life = { of: 'live', phase: 'beginning', then: play ? 'running' : 'paused' };
    const errand = ++this.#errand;
    try {
      await this.#engine.ask({ kind: 'advance', until_us: at_us });
      if (errand !== this.#errand) return true;
      if (this.reached_us > at_us) return false;
      if (change) {
        const timed: TimedChange = { at_us, change };
        this.#changes.push(timed);
        timed.at_us = await this.#engine.ask({ kind: 'apply', change });
      }
      if (errand === this.#errand) this.#arrive();
    } catch (error) {
      if (errand === this.#errand && !(error instanceof Abandoned)) this.#turns.unapplied(error);
    }
    return true;
  }

  /** The engine came to where the run is to be looked at. */
  #arrive() {
    this.life = begun(this.life);
    const last = this.#history.last;
    if (last) this.#show(last);
    this.#turns.arrived();
    if (this.running) this.#go();
    else this.#turns.rested();
  }

  #showRecorded(recording: Recording | null, at_us: number, play: boolean) {
    this.begun = Promise.resolve();
    this.life = { of: 'nothing' };
    if (!recording) return;
    this.life = { of: 'recorded', phase: 'paused' };
    for (const frame of recording.frames) this.#append(frame);
    this.#turns.recorded(recording);
    const frame = this.#history.at(at_us);
    if (frame) this.#show(frame);
    // A link's moment may lie between two recorded frames, or after the last: the live run will be taken to it.
    this.cursor_us = at_us;
    requestAnimationFrame(() => performance.mark('twoam:numbers'));
    if (play) this.#play();
  }

  // Time

  play() {
    this.#until_us = null;
    this.#play();
  }

  #play() {
    this.life = played(this.life, this.cursor_us < this.reached_us);
    this.#go();
  }

  pause() {
    if (!this.playing) return;
    this.#stand();
    if (!this.live) return;
    this.halted = this.#settle(this.#engine.ask({ kind: 'pause' }).then(() => this.#turns.halted()));
  }

  setSpeed(speed: number) {
    this.speed = speed;
    if (this.running) this.#go();
  }

  seek(at_us: number) {
    this.pause();
    const target = Math.max(0, Math.min(at_us, this.horizon_us));
    if (target > this.reached_us) {
      this.cursor_us = this.reached_us;
      void this.#settle(this.#engine.ask({ kind: 'advance', until_us: target }));
      return;
    }
    const frame = this.#history.at(target);
    if (frame) this.#show(frame);
    this.cursor_us = target;
    this.#turns.rested();
  }

  stepForward() {
    this.pause();
    const next = this.#history.after(this.cursor_us);
    if (next) {
      this.#show(next);
      this.#turns.rested();
    } else if (this.live && !this.ended) {
      void this.#settle(this.#engine.ask({ kind: 'step' }));
    }
  }

  stepBack() {
    this.pause();
    const before = this.#history.before(this.cursor_us);
    if (before) this.#show(before);
    this.#turns.rested();
  }

  /** Does what its life says. */
  #go() {
    const { life } = this;
    if (life.of === 'nothing') return;
    if (life.phase === 'replaying') this.#startReplay();
    if (life.phase !== 'running') return;
    this.#engine.ask({ kind: 'play', speed: this.speed, until_us: this.#stop_us }).catch(abandoned);
    this.#turns.went();
  }

  async #settle(done: Promise<unknown>) {
    this.#unsettled += 1;
    try {
      await done.then(() => this.#turns.rested(), abandoned);
    } finally {
      this.#unsettled -= 1;
    }
  }

  #stand() {
    this.life = paused(this.life);
    this.#replay.stop();
  }

  /** Goes through what has already happened, in the page; where that ends a live run goes on by itself. */
  #startReplay() {
    this.#replay.start((passed_ms) => {
      const until_us = Math.min(this.reached_us, this.#until_us ?? Infinity);
      const target = Math.min(until_us, this.cursor_us + passed_ms * 1000 * Math.min(this.speed, REPLAY_MOST));
      const frame = this.#history.at(target);
      if (frame) this.#show(frame);
      this.cursor_us = target;
      if (target < until_us) return;
      if (until_us < this.reached_us) {
        this.#stand();
        this.#turns.rested();
        return;
      }
      this.life = caughtUp(this.life);
      this.#replay.stop();
      this.#go();
    });
  }

  // Changes

  /** Into the run as it stands at the cursor: looking at the past and changing it is another run from there. */
  apply(change: Change) {
    if (!this.#plan) return;
    if (this.cursor_us < this.reached_us) {
      const at_us = Math.round(this.cursor_us);
      const changes = [...this.#changes.filter((timed) => timed.at_us <= at_us), { at_us, change }];
      void this.begin({ ...this.#plan, request: { ...this.#plan.request, changes } }, { catch_up_us: at_us });
      return;
    }
    const timed: TimedChange = { at_us: Math.round(this.reached_us), change };
    this.#changes.push(timed);
    this.#turns.applied(change);
    const { number } = this;
    this.#engine
      .ask({ kind: 'apply', change })
      // The thread was ahead of the page: the moment it was really taken in is what makes a link give the same run.
      .then((at_us) => {
        timed.at_us = at_us;
      })
      .catch((error) => {
        if (number === this.number && !(error instanceof Abandoned)) this.#turns.unapplied(error);
      });
  }

  // Frames

  /** What the engine says of this run; nothing when another has begun or the engine is gone. */
  async look<A extends Ask>(ask: A): Promise<Replies[A['kind']] | undefined> {
    const { number } = this;
    // A thread that takes the place of one that was lost has no run yet.
    if (this.engine !== 'ready') return undefined;
    const reply = await this.#engine.ask(ask).catch(abandoned);
    return number === this.number ? reply : undefined;
  }

  #take(frame: Frame, run: number) {
    if (run !== this.number) return;
    if (this.beginning) {
      this.#append(frame);
      return;
    }
    const following = this.cursor_us >= this.reached_us;
    this.#append(frame);
    this.#turns.frame(frame);
    if (following) this.#show(frame);
    if (!this.running || !(frame.ended || frame.now_us >= this.#stop_us)) return;
    this.life = frame.ended || frame.now_us >= this.horizon_us ? ended(this.life) : paused(this.life);
    this.#turns.rested();
  }

  #append(frame: Frame) {
    this.reached_us = frame.now_us;
    // While a run catches up its first frame can hold many samples: the arrays are shared with the charts, not copied.
    this.samples.push(...frame.samples);
    this.marks.push(...frame.marks);
    if (frame.notices.length > 0) this.notices = [...this.notices, ...frame.notices].slice(-NOTICES_MOST);
    if (frame.samples.length > 0 || frame.marks.length > 0) this.revision += 1;
    this.#history.push(frame);
    if (this.live) this.verdicts.judge(frame);
  }

  #show(frame: Frame) {
    this.frame = frame;
    this.cursor_us = frame.now_us;
    // What a recording will show is not told before it is shown.
    if (!this.live) this.verdicts.judge(frame);
    this.verdicts.lookAt(frame);
  }
}

function abandoned(error: unknown): undefined {
  if (!(error instanceof Abandoned)) throw error;
}
