// All state of an embed: naive code goes through production until it breaks, the fix is deployed, and it recovers. What
// is shown are frames of a run, at a steady pace; the engine makes them a little ahead of that. Until it has come, the
// recorded run is shown, which is the same run.

import { Abandoned, absenceInWords, Engine, lossInWords, Refused } from '../core/client';
import { corner } from '../core/scenario';
import { encode } from '../core/share';
import type { Thread } from '../core/thread';
import type { Frame, Recording, ScenarioDocument, TimedChange, VariantDocument } from '../core/types';
import type { Recordings } from '../core/catalogue';
import { damageOf, type Damage } from '../draw/damage';
import { damageSince, type Since } from '../state/judge';
import { Pulse } from '../state/pulse';
import type { Wanted } from './address';
import { afterFix_us, deployAt, HOLDS_FOR_S, LOOKED_AT_S, SHOWN_S, speedOfBreak, speedOfFix, speedTo } from './pacing';
import { recordedTrack, Track, verdict, type Step, type Verdict } from './track';

/** How far the engine goes in one go: so often the numbers change. */
const STEP_US = 100_000;
/** How far ahead of what is shown it goes, in the reader's seconds. */
const LEAD_S = 0.5;
/** A page that was out of sight goes on where it was. */
const LONGEST_PICTURE_MS = 100;
const US = 1_000_000;

export class EmbedState {
  readonly document: ScenarioDocument;
  readonly wanted: Wanted;
  readonly recordings: Recordings;
  /** Made of exactly what is run here; null: there is none. */
  readonly recording: Recording | null;

  engine = $state<'loading' | 'ready' | 'taken' | 'unavailable'>('loading');
  /** How much of the engine has come, of 1. */
  loaded = $state(0);
  playing = $state(true);
  /** The fix is deployed by itself once the break was looked at. */
  auto = $state(true);
  live = $state(false);
  step = $state.raw<Step | null>(null);
  cursor_us = $state(0);
  over = $state(false);
  /** What went wrong with the embed itself. */
  notice = $state('');
  /** From 0 to 1: how soon the fix is deployed; null: it is not about to be. */
  soon = $state<number | null>(null);
  /** The variant that is on its way into the run. */
  deploying = $state<string | null>(null);
  changes = $state.raw<readonly TimedChange[]>([]);

  readonly damage: Damage | null;
  readonly still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  #recorded: Track | null = null;
  #track: Track;
  #engine: Engine;
  #run = 0;
  #begun = false;
  #pumping = false;
  #pulse = new Pulse();
  #waited_s = 0;
  #speed: number;

  constructor(document: ScenarioDocument, recordings: Recordings, wanted: Wanted, newThread: (taken: () => void) => Thread) {
    this.document = document;
    this.recordings = recordings;
    this.wanted = wanted;
    this.notice = wanted.notice;
    this.changes = wanted.request.changes;
    const { request } = wanted;
    const alike = recordings[corner(request.variant, request.environment)];
    const asWritten = request.seed === alike?.request.seed && [request.knobs, request.sources, request.changes].every((given) => Object.keys(given).length === 0);
    this.recording = alike && asWritten ? alike : null;
    this.damage = damageOf(document);
    this.#speed = wanted.fix === null ? speedTo(wanted.at_us) : speedOfBreak(alike?.frames ?? []);
    this.#track = new Track(document);
    if (this.recording) this.#recorded = recordedTrack(document, this.recording);
    this.#engine = new Engine(
      {
        ready: () => void this.#begin(),
        loading: (share) => (this.loaded = share),
        frame: (frame, run) => this.#take(frame, run),
        restarted: (loss) => {
          this.#lose('loading');
          this.notice = `${lossInWords(loss)} It is being restarted.`;
        },
        unavailable: (absence) => {
          this.#lose('unavailable');
          this.deploying = null;
          if (!this.#recorded) this.playing = false;
          this.notice = absenceInWords(absence);
        },
      },
      () => newThread(() => this.#yield()),
    );
  }

  start() {
    this.#go();
  }

  /** Three megabytes, when what is shown first is there. */
  startEngine() {
    this.#engine.start();
  }

  stop() {
    this.#pulse.stop();
    this.#engine.stop();
  }

  // What is asked for

  pause() {
    this.playing = false;
    this.auto = false;
    this.soon = null;
  }

  play() {
    if (this.over) {
      this.replay();
      return;
    }
    this.playing = true;
    this.#go();
  }

  /** The same frames again: they are kept, and the engine is not needed. */
  replay() {
    this.cursor_us = 0;
    this.over = false;
    this.playing = true;
    this.step = this.#shown.at(0) ?? null;
    this.#go();
  }

  /** Into the run where it stands, as soon as the engine is there. */
  deploy(variant: string) {
    this.deploying = variant;
    this.playing = true;
    this.over = false;
    this.soon = null;
    this.#go();
  }

  // What is shown

  get first(): VariantDocument {
    return this.#variant(this.wanted.request.variant)!;
  }

  get fix(): VariantDocument | null {
    return this.wanted.fix === null ? null : (this.#variant(this.wanted.fix) ?? null);
  }

  /** The variant at the cursor. */
  get running(): VariantDocument {
    return this.#variant(this.step?.stretch.variant ?? '') ?? this.first;
  }

  /** The latest step of the run lies at the cursor: what is done now goes into it. */
  get atEnd(): boolean {
    return this.cursor_us >= this.#shown.reached_us;
  }

  get steps(): readonly Step[] {
    return this.#shown.until(this.step?.frame.now_us ?? -1);
  }

  /** The large number: since the variant that runs was deployed, and what it had come to before. */
  get counted(): Since {
    const { damage, step } = this;
    if (!damage || !step) return { total: 0, before: 0 };
    const { total, before } = damageSince(damage, step.frame);
    // A deploy may clean up: what was broken was broken all the same.
    const last = this.steps.findLast(({ stretch }) => stretch.from_us < step.stretch.from_us);
    return { total, before: Math.max(before, last ? damageSince(damage, last.frame).total : 0) };
  }

  /** Of the latest stretch of a variant, as far as it is shown. */
  verdictOf(variant: string): Verdict {
    return verdict(this.steps.findLast(({ stretch }) => stretch.variant === variant));
  }

  recordedVerdict(variant: string, environment: string): Verdict {
    const recording = this.recordings[corner(variant, environment)];
    return recording ? verdict(recordedTrack(this.document, recording).at(Infinity)) : 'open';
  }

  /** Where the run ends. */
  get length_us(): number {
    const environment = this.document.environments.find(({ id }) => id === this.wanted.request.environment);
    return (environment?.length_s ?? 60) * US;
  }

  /** How long the run is that will be shown, as far as it can be told. */
  get expected_us(): number {
    const deployed_us = this.changes.findLast(({ change }) => change.kind === 'variant')?.at_us ?? this.#deploy_us();
    const expected_us = deployed_us === null ? Math.max(this.wanted.at_us, SHOWN_S * US) : deployed_us + afterFix_us(this.document);
    return Math.min(this.length_us, Math.max(expected_us, this.step?.frame.now_us ?? 0));
  }

  /** The run up to the moment that is shown, as a link has it. */
  link(): Promise<string> {
    const at_us = Math.round(this.cursor_us);
    return encode({ request: { ...this.wanted.request, changes: this.changes.filter((timed) => timed.at_us <= at_us) }, at_us });
  }

  // Time

  get #shown(): Track {
    return this.live || !this.#recorded ? this.#track : this.#recorded;
  }

  #go() {
    // What was live once is kept and can be gone through without an engine.
    if (this.engine === 'taken' && (this.deploying !== null || this.atEnd || !this.live)) {
      this.engine = 'loading';
      this.#engine.start();
    }
    this.#pulse.start((passed_ms) => this.#beat(Math.min(passed_ms, LONGEST_PICTURE_MS)));
  }

  #beat(passed_ms: number) {
    void this.#pump();
    if (!this.live && this.#begun && this.#track.reached_us >= Math.min(this.cursor_us, this.#recorded?.reached_us ?? 0)) this.live = true;
    if (!this.playing) this.#pulse.stop();
    // What is on its way goes in where the run stands.
    if (!this.playing || this.deploying !== null) return;
    const limit_us = this.#limit_us();
    const wanted_us = this.still ? Infinity : this.cursor_us + passed_ms * 1_000 * this.#speed;
    this.cursor_us = Math.max(this.cursor_us, Math.min(wanted_us, limit_us, this.#shown.reached_us));
    const arrived = this.cursor_us >= limit_us;
    // Without motion only where something has come out.
    if (!this.still || arrived || this.step === null) this.step = this.#shown.at(this.cursor_us) ?? null;
    this.#countDown();
    if (arrived) this.#arrive(passed_ms);
    else this.#waited_s = 0;
    // Without an engine that is all there is; where another embed has it, to go on is for the reader to say.
    if (!this.over && (this.engine === 'taken' || this.engine === 'unavailable') && this.atEnd) this.pause();
  }

  /** Where it stands still by itself: before a deploy, or at the end. */
  #limit_us(): number {
    return this.#deploy_us() ?? Math.min(this.length_us, this.#end_us());
  }

  /** When the fix is deployed by itself; null: not, or it is not known yet. */
  #deploy_us(): number | null {
    if (!this.auto || this.fix === null || this.changes.length > this.wanted.request.changes.length) return null;
    const broke_us = this.#broke_us();
    return broke_us === null ? null : deployAt(broke_us, this.#speed, this.length_us);
  }

  #broke_us(): number | null {
    return this.#track.broke_us ?? this.#recorded?.broke_us ?? null;
  }

  /** A fix is looked at until it holds and for a while more, naive code until the run ends. */
  #end_us(): number {
    const last = this.changes.findLast(({ change }) => change.kind === 'variant');
    if (this.fix !== null && this.running.id !== this.fix.id) return Infinity;
    if (!last) return Math.max(this.wanted.at_us, SHOWN_S * US);
    const settled_us = this.#track.settledAfter(last.at_us);
    return settled_us === null ? Infinity : Math.max(this.wanted.at_us, settled_us + HOLDS_FOR_S * US * this.#speed);
  }

  #arrive(passed_ms: number) {
    if (this.#deploy_us() === null) {
      this.over = true;
      this.playing = false;
      return;
    }
    this.#waited_s += passed_ms / 1_000;
    // Where nothing moves, the break is looked at for as long all the same.
    if (this.still && this.#waited_s < LOOKED_AT_S) return;
    if (this.engine !== 'unavailable') this.deploy(this.fix!.id);
    else {
      this.over = true;
      this.playing = false;
      this.soon = null;
    }
  }

  #countDown() {
    const deploy_us = this.#deploy_us();
    const broke_us = this.#broke_us();
    const due = deploy_us !== null && broke_us !== null && this.cursor_us >= broke_us;
    this.soon = due ? Math.min(1, (this.cursor_us - broke_us) / Math.max(1, deploy_us - broke_us)) : null;
  }

  // The engine

  async #begin() {
    this.engine = 'ready';
    this.notice = this.wanted.notice;
    const run = ++this.#run;
    try {
      // What is reactive cannot be sent to another thread.
      const request = { ...this.wanted.request, changes: [...this.changes] };
      await this.#engine.run({ run, document: this.document, request, catch_up_us: this.#track.reached_us });
      if (run !== this.#run) return;
      this.#begun = true;
      void this.#pump();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown) {
    if (error instanceof Abandoned) return;
    if (!(error instanceof Error)) throw error;
    this.playing = false;
    this.deploying = null;
    const place = error instanceof Refused && error.file ? ` (${error.file}${error.line === null ? '' : `, line ${error.line}`})` : '';
    this.notice = `This run cannot go on${place}: ${error.message}`;
  }

  #take(frame: Frame, run: number) {
    if (run !== this.#run) return;
    this.#track.append(frame);
    const problem = frame.notices.find(({ severity }) => severity === 'error');
    if (problem) this.notice = problem.text;
  }

  /** How far the engine is to go: a little ahead of what is shown, and to a deploy at once, so that it need not be waited for. */
  #aim_us(): number {
    if (this.deploying !== null) return this.cursor_us;
    const lead_us = this.still ? Infinity : LEAD_S * US * this.#speed;
    return this.#deploy_us() ?? Math.min(this.#limit_us(), this.cursor_us + lead_us);
  }

  async #pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    const run = this.#run;
    try {
      while (this.#begun && run === this.#run) {
        const until_us = Math.floor(Math.min(this.#track.reached_us + STEP_US, this.#aim_us()));
        if (until_us > this.#track.reached_us) await this.#engine.ask({ kind: 'advance', until_us });
        else if (this.deploying !== null) await this.#apply(this.deploying);
        else break;
      }
    } catch (error) {
      this.#refuse(error);
    } finally {
      this.#pumping = false;
    }
  }

  async #apply(variant: string) {
    const before = this.changes;
    const timed: TimedChange = { at_us: this.#track.reached_us, change: { kind: 'variant', variant } };
    this.changes = [...before, timed];
    try {
      await this.#engine.ask({ kind: 'apply', change: timed.change });
    } catch (error) {
      this.changes = before;
      throw error;
    }
    this.auto = false;
    this.deploying = null;
    this.live = true;
    this.#speed = variant === this.wanted.fix ? speedOfFix(this.document) : speedOfBreak(this.recording?.frames ?? []);
    this.cursor_us = this.#track.reached_us;
    this.step = this.#track.at(this.cursor_us) ?? null;
  }

  #lose(engine: 'loading' | 'unavailable' | 'taken') {
    this.engine = engine;
    this.#begun = false;
    this.#run += 1;
  }

  /** Another embed runs now; what is here stays, and goes on when it is asked to. */
  #yield() {
    this.#lose('taken');
    this.#engine.stop();
    this.deploying = null;
    this.pause();
  }

  #variant(id: string): VariantDocument | undefined {
    return this.document.variants.find((variant) => variant.id === id);
  }
}
