// All state of the page: which scenario, which corner, the run and the moment looked at. Views read it and call its
// intents; it draws nothing. A run is live (the engine's), or recorded until the engine has arrived.

import { Abandoned, absenceInWords, Engine, lossInWords, Refused } from '../core/client';
import { catalogue, recordings, scenario, type Recordings } from '../core/catalogue';
import { decode, encode, type Shared } from '../core/share';
import { lastFailure, type Failure } from '../draw/failure';
import { steadied } from '../draw/lanes';
import type { Digest } from '../core/protocol';
import { keepForOffline } from '../offline';
import { keepEdits, readEdits } from '../core/storage';
import { asSentence, inWords, moment, opened } from '../draw/format';
import { Comparison } from './comparison.svelte';
import type { Talk } from '../stage/talk';
import type {
  BeatAction,
  Change,
  EnvironmentDocument,
  Frame,
  LitLine,
  Mark,
  PageNotice,
  Report,
  RunRequest,
  Sample,
  ScenarioDocument,
  ScenarioSummary,
  TableNow,
  TimedChange,
  VariantDocument,
} from '../core/types';

/** Virtual seconds a second of the reader's; Infinity is as fast as it goes. */
export const SPEEDS = [0.001, 0.01, 0.1, 1, 4, Infinity] as const;
/** Where naive code takes longer than this to break, the run goes at the speed below until the reader chooses one. */
const SLOW_BREAK_US = 8_000_000;
const SLOW_BREAK_SPEED = 4;
const FAILURE_MS = 1_500;
const FAILURE_LOOK_US = 100_000;
/** A report may take this share of the engine's time while a run is going. */
const REPORT_SHARE = 0.15;
const HISTORY_MOST = 6_000;
/** Requests of the old variant are still ending this long after a deploy; what they break is not the new one's. */
const DRAIN_US = 1_000_000;
/** Rows that naive code spoiled, and answers its clients still wait for, break a rule this long after it is gone. */
const INHERITED_DAMAGE_US = 6_000_000;
const NAIVE = 'naive';
/** Which build of the engine this page was built with. */
const ENGINE = __ENGINE__;
export const SCHEMA_FILE = 'schema.sql';

/** What happened in one of the four corners, since the run began or since that variant was deployed. */
export interface Outcome {
  requests: number;
  broken: number;
  for_us: number;
  edited: boolean;
}

/** Where a stretch of one variant began: the totals then, so that it is judged by what it did itself. */
interface Stretch {
  at_us: number;
  variant: string;
  totals: number[];
  broken: number[];
  requests: number;
}

export interface Shortfall {
  kind: 'note' | 'error';
  text: string;
}

export class PlaygroundState {
  summaries = $state.raw<ScenarioSummary[]>([]);
  document = $state.raw<ScenarioDocument | null>(null);
  variant = $state('');
  environment = $state('');
  /** The hardened variant the second row of the corners stands for. */
  hardened = $state('');
  seed = $state(1);
  /** Only those moved away from the environment's own. */
  knobs = $state<{ [knob in string]: number }>({});
  /** Only those switched away from the environment's own. */
  faults = $state<{ [fault in string]: boolean }>({});
  edits = $state<{ [file in string]: string }>({});
  /** Files edited since they were last deployed or run. */
  undeployed = $state<{ [file in string]: true }>({});
  speed = $state<number>(1);

  engine = $state<'loading' | 'ready' | 'unavailable'>('loading');
  live = $state(false);
  playing = $state(false);
  busy = $state(false);
  ended = $state(false);
  frame = $state.raw<Frame | null>(null);
  /** The moment every view shows. */
  cursor_us = $state(0);
  /** How far the run has come. */
  reached_us = $state(0);
  /** Grows with every batch of samples and marks; both arrays are only ever appended to or replaced. */
  revision = $state(0);
  samples: Sample[] = [];
  marks: Mark[] = [];
  notices = $state.raw<PageNotice[]>([]);
  /** What the latest failed request says. */
  failure = $state.raw<Failure | null>(null);
  outcomes = $state<{ [corner in string]: Outcome }>({});
  message = $state.raw<Shortfall | null>(null);
  /** A stretch around the cursor, for the timeline. */
  report = $state.raw<Report | null>(null);
  /** The run up to the cursor, for the lists. */
  digest = $state.raw<Digest | null>(null);
  /** The tab of the views below the first screen, and which number's cases it lists; null: all. */
  view = $state('timeline');
  casesOf = $state<string | null>(null);
  /** What that tab is drawn from. */
  looks: 'stretch' | 'run' | 'tables' = 'stretch';
  /** The tables at the cursor, while their view is open. */
  tables = $state.raw<TableNow[] | null>(null);
  /** Place in the scenario's beats while presenting; null: not presenting, -1: before the first. */
  beat = $state<number | null>(null);
  /** Which of the texts below is open. */
  text = $state<'story' | 'frameworks' | 'model' | 'real-server' | 'reading'>('story');
  /** Told to screen readers when it changes. */
  announcement = $state('');

  readonly comparison = new Comparison((reason) => {
    this.message = { kind: 'note', text: reason };
  });

  #engine: Engine;
  #recordings: Recordings | null = null;
  #history: Frame[] = [];
  #stretches: Stretch[] = [];
  #stretch = $state.raw<Stretch | null>(null);
  #started = false;
  #run = 0;
  #changes: TimedChange[] = [];
  #initial: { variant: string; knobs: { [knob in string]: number }; sources: { [file in string]: string } } | null = null;
  #replay: number | null = null;
  #opening = 0;
  #chosenSpeed: number | null = null;
  #halted: Promise<void> = Promise.resolve();
  #begun: Promise<void> = Promise.resolve();
  /** What the link that was opened says of its sender's run, until that is compared. */
  #sent: Shared['made'] | null = null;
  #broken = 0;

  constructor() {
    this.#engine = new Engine({
      ready: (restarted) => this.#engineReady(restarted),
      frame: (frame, run, playing) => this.#take(frame, run, playing),
      restarted: (loss) => {
        this.playing = false;
        this.engine = 'loading';
        this.message = { kind: 'error', text: `${lossInWords(loss)} It is being restarted; your code is kept.` };
      },
      unavailable: (absence) => {
        this.engine = 'unavailable';
        this.playing = false;
        this.message = { kind: 'error', text: absenceInWords(absence) };
      },
    });
  }

  // Opening

  async open(hash: string) {
    let shared: Shared | null = null;
    if (hash.length > 1 && !/^#[a-z][a-z0-9-]*$/.test(hash)) {
      try {
        shared = await decode(hash);
      } catch (error) {
        this.message = { kind: 'error', text: `${sentence(error)} Here is the scenario as it is.` };
      }
    }
    try {
      this.summaries = await catalogue();
    } catch (error) {
      this.message = { kind: 'error', text: `The list of scenarios could not be loaded. ${sentence(error)}` };
      return;
    }
    // Each scenario has a page of its own, which names it.
    const asked = shared?.request.scenario ?? (hash.slice(1) || document.documentElement.dataset.scenario || '');
    const known = this.summaries.some(({ id }) => id === asked);
    if (shared && !known) {
      this.message = { kind: 'error', text: `This link is for a scenario called “${asked}”, which is not here.` };
      shared = null;
    }
    const first = this.summaries[0];
    if (first) await this.pick(known ? asked : first.id, shared);
  }

  /** The engine is 3 MB: it is fetched when the first screen is there. */
  startEngine() {
    if (this.#started) return;
    this.#started = true;
    this.#engine.start();
  }

  async pick(id: string, shared: Shared | null = null) {
    const opening = ++this.#opening;
    let document: ScenarioDocument;
    let recorded: Recordings | null;
    try {
      [document, recorded] = await Promise.all([scenario(id), recordings(id).catch(() => null)]);
    } catch (error) {
      this.message = { kind: 'error', text: `The scenario could not be loaded. ${sentence(error)}` };
      return;
    }
    if (opening !== this.#opening) return;
    if (this.live) void this.#engine.ask({ kind: 'pause' }).catch(abandoned);
    this.comparison.end();
    this.document = document;
    this.#recordings = recorded;
    this.outcomes = {};
    this.casesOf = null;
    if (this.beat !== null) this.beat = -1;
    this.undeployed = {};
    this.hardened = document.variants.find((variant) => variant.id !== NAIVE)?.id ?? NAIVE;
    this.knobs = {};
    this.faults = {};
    this.seed = 1;
    this.speed = this.#chosenSpeed ?? pace(document, recorded);
    this.variant = NAIVE;
    this.environment = document.environments[0]?.id ?? '';
    this.edits = shared ? {} : readEdits(id);
    if (shared) this.#restore(shared, document);
    this.#sent = shared?.made ?? null;
    const play = !shared && !matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.begin({ play, catch_up_us: shared?.at_us ?? 0, changes: shared?.request.changes ?? [] });
  }

  #restore(shared: Shared, document: ScenarioDocument) {
    const { request } = shared;
    const missing: string[] = [];
    if (document.variants.some(({ id }) => id === request.variant)) this.variant = request.variant;
    else missing.push(`variant “${request.variant}”`);
    if (document.environments.some(({ id }) => id === request.environment)) this.environment = request.environment;
    else missing.push(`environment “${request.environment}”`);
    for (const [knob, value] of Object.entries(request.knobs)) {
      const known = document.knobs.find(({ id }) => id === knob);
      if (known) this.knobs[knob] = Math.min(known.max, Math.max(known.min, value));
      else missing.push(`knob “${knob}”`);
    }
    const files = [SCHEMA_FILE, ...document.variants.map(({ file }) => file)];
    for (const [file, text] of Object.entries(request.sources)) {
      if (files.includes(file)) this.edits[file] = text;
      else missing.push(`file “${file}”`);
    }
    this.seed = request.seed;
    if (this.variant !== NAIVE) this.hardened = this.variant;
    if (missing.length > 0) this.message = { kind: 'error', text: `This link names what the scenario does not have: ${missing.join(', ')}. The rest is as it was sent.` };
  }

  #engineReady(restarted: boolean) {
    this.engine = 'ready';
    performance.mark('twoam:engine-ready');
    keepForOffline();
    if (restarted) {
      this.message = { kind: 'note', text: 'The engine was restarted. Your code is kept; press play to run it again.' };
      this.begin({ play: false });
      return;
    }
    // Equal requests give equal runs, so the live run takes over from the recorded one where the reader is.
    if (this.document) this.begin({ play: this.playing, catch_up_us: this.cursor_us, changes: this.#changes, keepView: true });
  }

  // Runs

  /** A new run of what is chosen now. */
  begin({
    play = true,
    catch_up_us = 0,
    changes = [],
    keepView = false,
  }: { play?: boolean; catch_up_us?: number; changes?: TimedChange[]; keepView?: boolean } = {}) {
    const { document } = this;
    if (!document) return;
    this.#run += 1;
    this.#replay = null;
    this.#history = [];
    this.#changes = [...changes];
    // Plain copies: what is reactive cannot be sent to another thread.
    this.#initial = { variant: this.variant, knobs: { ...this.knobs }, sources: { ...this.edits } };
    this.#stretches = [];
    this.samples = [];
    this.marks = [];
    this.notices = [];
    this.failure = null;
    this.#failed = 0;
    this.ended = false;
    this.undeployed = {};
    this.#broken = 0;
    if (!keepView) {
      this.frame = null;
      this.cursor_us = 0;
      this.reached_us = 0;
      this.report = null;
      this.digest = null;
      this.tables = null;
    }
    this.revision += 1;
    this.#changeStretch(null, this.variant, 0);

    if (this.engine !== 'ready') {
      this.live = false;
      this.#showRecorded(catch_up_us, play);
      return;
    }
    this.live = true;
    this.busy = true;
    this.playing = play;
    const run = this.#run;
    this.#begun = this.#engine
      .run({ run, document, request: this.#request(), catch_up_us })
      .then(() => {
        if (run !== this.#run) return;
        this.busy = false;
        // A link's or a fork's changes were played; what is chosen now is what they left.
        this.#followChanges();
        const last = this.#history.at(-1);
        if (last) {
          this.#show(last);
          void this.#explainFailure(last);
        }
        void this.#compareWithSender();
        if (this.comparison.variant !== null) this.compareWith(this.comparison.variant);
        if (this.playing) this.#play();
        else void this.#refreshReport();
      })
      .catch((error) => {
        if (run !== this.#run || error instanceof Abandoned) return;
        this.busy = false;
        this.playing = false;
        this.live = false;
        if (error instanceof Refused && error.file) {
          this.notices = [{ severity: 'error', text: error.message, file: error.file, line: error.line }];
          this.message = { kind: 'error', text: `${error.file} does not run as it is, so there is nothing to show. Mend it or revert it.` };
        } else {
          this.message = { kind: 'error', text: `This run cannot start. ${sentence(error)}` };
        }
      });
  }

  #request(): RunRequest {
    const { variant, knobs, sources } = this.#initial!;
    const switched = Object.entries(this.faults).map(([fault, on]): TimedChange => ({ at_us: 0, change: { kind: 'fault', fault, on } }));
    return {
      scenario: this.document!.summary.id,
      variant,
      environment: this.environment,
      seed: this.seed,
      knobs,
      sources,
      changes: [...(this.#changes.some(({ at_us }) => at_us === 0) ? [] : switched), ...this.#changes],
    };
  }

  #followChanges() {
    for (const { change } of this.#changes) {
      if (change.kind === 'variant') this.#showVariant(change.variant);
      else if (change.kind === 'knob') this.knobs[change.knob] = change.value;
      else if (change.kind === 'fault') this.faults[change.fault] = change.on;
      else this.edits[change.file] = change.text;
    }
  }

  #take(frame: Frame, run: number, playing: boolean) {
    if (run !== this.#run) return;
    if (this.busy) {
      this.#append(frame);
      return;
    }
    const following = this.cursor_us >= this.reached_us;
    this.#append(frame);
    void this.#explainFailure(frame);
    if (this.playing && !playing && this.#replay === null) {
      this.playing = false;
      this.ended = frame.ended || frame.now_us >= this.horizon_us;
      void this.#refreshReport();
    }
    if (following) this.#show(frame);
  }

  #append(frame: Frame) {
    this.reached_us = frame.now_us;
    for (const mark of frame.marks) {
      if (mark.family === 'deploy') this.#changeStretch(frame, this.#variantAt(mark.at_us), mark.at_us);
    }
    // While a run catches up its first frame can hold many samples: the arrays are shared with the charts, not copied.
    this.samples.push(...frame.samples);
    this.marks.push(...frame.marks);
    if (frame.notices.length > 0) this.notices = [...this.notices, ...frame.notices].slice(-20);
    if (frame.samples.length > 0 || frame.marks.length > 0) this.revision += 1;
    this.#history.push({ ...frame, samples: [], marks: [], notices: [] });
    if (this.#history.length > HISTORY_MOST) this.#history = this.#history.filter((_, index) => index % 2 === 0 || index > HISTORY_MOST - 500);
    if (this.live) this.#judge(frame);
  }

  #show(frame: Frame) {
    this.frame = frame;
    this.cursor_us = frame.now_us;
    // What a recording will show is not told before it is shown.
    if (!this.live) this.#judge(frame);
    this.#stretch = this.#stretches.findLast(({ at_us }) => at_us <= frame.now_us) ?? null;
  }

  #variantAt(at_us: number): string {
    const deployed = this.#changes.findLast((timed) => timed.change.kind === 'variant' && timed.at_us <= at_us + 1);
    return deployed?.change.kind === 'variant' ? deployed.change.variant : (this.#initial?.variant ?? this.variant);
  }

  #changeStretch(frame: Frame | null, variant: string, at_us: number) {
    const stretch: Stretch = {
      at_us,
      variant,
      totals: frame?.metrics.map(({ total }) => total) ?? [],
      broken: frame?.invariants.map(({ broken_ever }) => broken_ever) ?? [],
      requests: frame ? frame.requests.ok + frame.requests.failed : 0,
    };
    this.#stretches.push(stretch);
    this.#stretch = stretch;
  }

  #judge(frame: Frame) {
    const stretch = this.#stretches.at(-1);
    if (!stretch) return;
    if (stretch.at_us > 0 && frame.now_us < stretch.at_us + this.#drain_us(stretch.variant)) {
      stretch.broken = frame.invariants.map(({ broken_ever }) => broken_ever);
      this.document?.metrics.forEach(({ better }, index) => {
        if (better === 'zero') stretch.totals[index] = frame.metrics[index]?.total ?? 0;
      });
    }
    const requests = frame.requests.ok + frame.requests.failed - stretch.requests;
    const broken = frame.invariants.reduce((sum, { broken_ever }, index) => sum + broken_ever - (stretch.broken[index] ?? 0), 0);
    const file = this.document?.variants.find(({ id }) => id === stretch.variant)?.file ?? '';
    const edited = file in (this.#initial?.sources ?? {}) || this.#changes.some(({ change }) => change.kind === 'source' && change.file === file);
    this.outcomes[corner(stretch.variant, this.environment)] = { requests, broken, for_us: frame.now_us - stretch.at_us, edited };
    if (broken > 0 && this.#broken === 0) this.announcement = `Broken: ${this.#brokenSentences(frame)}`;
    this.#broken = broken;
  }

  #drain_us(variant: string): number {
    return (isNaive(variant) ? DRAIN_US : INHERITED_DAMAGE_US) + 1_000 * Math.max(0, ...(this.document?.invariants ?? []).map(({ settle_ms }) => settle_ms));
  }

  #brokenSentences(frame: Frame): string {
    return (this.document?.invariants ?? [])
      .filter((_, index) => (frame.invariants[index]?.broken_ever ?? 0) > 0)
      .map((invariant) => invariant.sentence)
      .join('; ');
  }

  // Recorded runs

  #showRecorded(at_us: number, play: boolean) {
    const recording = this.#recordings?.[corner(this.variant, this.environment)];
    if (!recording) {
      this.playing = false;
      return;
    }
    for (const frame of recording.frames) this.#append(frame);
    this.report = recording.report;
    this.digest = recording.report;
    const frame = this.#frameAt(at_us);
    if (frame) this.#show(frame);
    // A link's moment may lie between two recorded frames, or after the last: the live run will be taken to it.
    this.cursor_us = at_us;
    requestAnimationFrame(() => performance.mark('twoam:numbers'));
    this.playing = play && at_us < this.reached_us;
    if (this.playing) this.#startReplay();
  }

  get recorded(): boolean {
    return !this.live && this.frame !== null;
  }

  // Time

  play() {
    if (this.playing || !this.document) return;
    this.message = this.message?.kind === 'note' ? null : this.message;
    if (this.ended || (!this.live && this.cursor_us >= this.reached_us)) {
      this.begin();
      return;
    }
    this.playing = true;
    this.#play();
  }

  #play() {
    if (this.cursor_us < this.reached_us) {
      this.#startReplay();
      return;
    }
    if (!this.live) return;
    void this.#engine.ask({ kind: 'play', speed: this.speed, until_us: this.horizon_us }).catch(abandoned);
    if (this.comparison.variant !== null) this.comparison.play(this.speed, this.horizon_us);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.#replay = null;
    if (!this.live) return;
    this.#halted = this.#engine.ask({ kind: 'pause' }).then(() => {
      if (this.comparison.variant !== null) this.comparison.pause(this.reached_us);
      void this.#refreshReport();
    }, abandoned);
  }

  setSpeed(speed: number) {
    this.#chosenSpeed = speed;
    this.speed = speed;
    if (this.playing && this.live && this.#replay === null) this.#play();
  }

  /** Goes through what has already happened, in the page; where that ends a live run goes on by itself. */
  #startReplay() {
    let last = performance.now();
    const advance = (at: number) => {
      if (!this.playing || this.#replay === null) return;
      const speed = this.speed === Infinity ? 16 : this.speed;
      const target = this.cursor_us + Math.max(0, at - last) * 1000 * speed;
      last = at;
      const frame = this.#frameAt(target);
      if (frame) {
        this.frame = frame;
        if (!this.live) this.#judge(frame);
        this.#stretch = this.#stretches.findLast(({ at_us }) => at_us <= frame.now_us) ?? null;
      }
      this.cursor_us = Math.min(target, this.reached_us);
      if (this.cursor_us >= this.reached_us) {
        this.#replay = null;
        if (this.live) this.#play();
        else this.playing = false;
        return;
      }
      this.#replay = requestAnimationFrame(advance);
    };
    this.#replay = requestAnimationFrame(advance);
  }

  #frameAt(at_us: number): Frame | undefined {
    let low = 0;
    let high = this.#history.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#history[middle]!.now_us <= at_us) low = middle;
      else high = middle - 1;
    }
    return this.#history[low];
  }

  seek(at_us: number) {
    this.pause();
    const target = Math.max(0, Math.min(at_us, this.horizon_us));
    if (target > this.reached_us) {
      this.cursor_us = this.reached_us;
      void this.#engine.ask({ kind: 'advance', until_us: target }).then(() => this.#refreshReport(), abandoned);
      return;
    }
    const frame = this.#frameAt(target);
    if (frame) this.#show(frame);
    this.cursor_us = target;
    void this.#refreshReport();
  }

  stepForward() {
    this.pause();
    const next = this.#history.find(({ now_us }) => now_us > this.cursor_us);
    if (next) {
      this.#show(next);
      void this.#refreshReport();
    } else if (this.live && !this.ended) {
      void this.#engine.ask({ kind: 'step' }).then(() => this.#refreshReport(), abandoned);
    }
  }

  stepBack() {
    this.pause();
    const before = this.#history.findLast(({ now_us }) => now_us < this.cursor_us);
    if (before) this.#show(before);
    void this.#refreshReport();
  }

  reset() {
    this.begin();
  }

  setSeed(seed: number) {
    this.seed = seed;
    this.begin();
  }

  // What is run

  /** Another environment is another run; another variant is deployed into the running one. */
  goTo(variant: string, environment: string) {
    if (environment !== this.environment) {
      this.environment = environment;
      this.knobs = {};
      this.faults = {};
      this.#showVariant(variant);
      this.begin();
      return;
    }
    this.deploy(variant);
  }

  deploy(variant: string) {
    if (variant === this.variant) {
      this.play();
      return;
    }
    const atStart = !this.live || this.ended || this.reached_us === 0;
    this.#showVariant(variant);
    if (atStart) {
      const at_us = this.live ? 0 : this.cursor_us;
      this.begin({ catch_up_us: at_us >= this.reached_us ? 0 : at_us });
      return;
    }
    this.#apply({ kind: 'variant', variant });
    this.play();
  }

  #showVariant(variant: string) {
    this.variant = variant;
    if (variant !== NAIVE) this.hardened = variant;
  }

  toggleVariant() {
    this.deploy(this.variant === NAIVE ? this.hardened : NAIVE);
  }

  toggleEnvironment() {
    const other = this.document?.environments.find(({ id }) => id !== this.environment);
    if (other) this.goTo(this.variant, other.id);
  }

  setKnob(id: string, value: number) {
    const knob = this.document?.knobs.find((candidate) => candidate.id === id);
    if (!knob) return;
    this.knobs[id] = value;
    if (knob.live && this.live && !this.ended && this.reached_us > 0) this.#apply({ kind: 'knob', knob: id, value });
    else this.begin();
  }

  setFault(id: string, on: boolean) {
    this.faults[id] = on;
    if (this.live && !this.ended && this.reached_us > 0) this.#apply({ kind: 'fault', fault: id, on });
    else this.begin();
  }

  knobValue(id: string): number {
    return this.knobs[id] ?? this.environmentDocument?.knobs[id] ?? 0;
  }

  faultOn(id: string): boolean {
    return this.faults[id] ?? this.environmentDocument?.faults.includes(id) ?? false;
  }

  /** Into the run as it stands at the cursor: looking at the past and changing it is another run from there. */
  #apply(change: Change) {
    if (this.cursor_us < this.reached_us) {
      const at_us = Math.round(this.cursor_us);
      const changes = [...this.#changes.filter((timed) => timed.at_us <= at_us), { at_us, change }];
      const initial = this.#initial!;
      const chosen = { variant: this.variant, knobs: { ...this.knobs }, edits: { ...this.edits } };
      this.variant = initial.variant;
      this.knobs = { ...initial.knobs };
      this.edits = { ...initial.sources };
      this.begin({ catch_up_us: at_us, changes });
      this.variant = chosen.variant;
      this.knobs = chosen.knobs;
      this.edits = chosen.edits;
      return;
    }
    const timed: TimedChange = { at_us: Math.round(this.reached_us), change };
    this.#changes.push(timed);
    if (this.comparison.variant !== null && change.kind !== 'variant') this.comparison.apply(change);
    const run = this.#run;
    this.#engine
      .ask({ kind: 'apply', change })
      // The thread was ahead of the page: the moment it was really taken in is what makes a link give the same run.
      .then((at_us) => {
        timed.at_us = at_us;
      })
      .catch((error) => {
        if (run === this.#run && !(error instanceof Abandoned)) this.message = { kind: 'error', text: sentence(error) };
      });
  }

  // Talks

  present(on: boolean) {
    this.beat = on ? -1 : null;
    if (!on) return;
    // Every talk begins where the reader began: naive code on one's own machine.
    this.variant = NAIVE;
    this.environment = this.document?.environments[0]?.id ?? this.environment;
    this.knobs = {};
    this.faults = {};
    this.reset();
  }

  goToBeat(beat: number) {
    const beats = this.document?.beats ?? [];
    if (this.beat === null || beat < 0 || beat >= beats.length) return;
    this.beat = beat;
    const action = beats[beat]?.action;
    switch (action?.do) {
      case 'environment':
        this.goTo(this.variant, action.environment);
        break;
      case 'variant':
        this.deploy(action.variant);
        break;
      case 'knob':
        this.setKnob(action.knob, action.value);
        break;
      case 'fault':
        this.setFault(action.fault, action.on);
        break;
      case 'play':
        this.play();
        break;
      case 'pause':
        this.pause();
        break;
    }
  }

  // Comparison

  /** Runs another variant on the same traffic beside this one; null ends that. */
  compareWith(variant: string | null) {
    if (variant === null || !this.live || !this.document) {
      this.comparison.end();
      return;
    }
    const request = this.#request();
    const changes = request.changes.filter(({ change }) => change.kind !== 'variant');
    const run = this.#run;
    void this.comparison.begin(variant, this.document, { ...request, variant, changes }, this.reached_us).then(() => {
      if (run === this.#run && this.playing && this.#replay === null) this.comparison.play(this.speed, this.horizon_us);
    });
  }

  /** Lays the run beside the one it is compared with, as far as both have come. */
  async alignComparison() {
    const to_us = Math.min(this.reached_us, this.comparison.frame?.now_us ?? 0);
    if (!this.live || this.busy || this.comparison.variant === null || to_us === 0) return;
    try {
      await this.comparison.align(await this.#engine.ask({ kind: 'answers', to_us }), to_us);
    } catch (error) {
      abandoned(error);
    }
  }

  /** Where the page explains what stands behind what it shows. */
  showText(text: typeof this.text) {
    this.text = text;
    requestAnimationFrame(() => document.getElementById('texts')?.scrollIntoView());
  }

  showCases(of: string) {
    this.view = 'cases';
    this.casesOf = of;
    this.refresh();
  }

  // Code

  sourceOf(file: string): string {
    return this.edits[file] ?? this.ownSource(file);
  }

  ownSource(file: string): string {
    if (file === SCHEMA_FILE) return this.document?.schema ?? '';
    return this.document?.variants.find((variant) => variant.file === file)?.source ?? '';
  }

  edit(file: string, text: string) {
    if (text === this.ownSource(file)) delete this.edits[file];
    else this.edits[file] = text;
    this.undeployed[file] = true;
    if (this.document && !keepEdits(this.document.summary.id, $state.snapshot(this.edits))) {
      this.message = { kind: 'note', text: 'This browser keeps nothing for this page, so your edits are gone when you close it. A share link holds them.' };
    }
  }

  deployEdit(file: string) {
    delete this.undeployed[file];
    this.notices = [];
    this.failure = null;
    if (file === SCHEMA_FILE || !this.live || this.ended || this.reached_us === 0) {
      this.begin();
      return;
    }
    this.#apply({ kind: 'source', file, text: this.sourceOf(file) });
    this.play();
  }

  revert(file: string) {
    this.edit(file, this.ownSource(file));
    this.deployEdit(file);
  }

  // Detail

  #asking = false;
  #wanted: { from_us: number; to_us: number } | null = null;

  /** What the open view needs of this moment. One is asked for at a time, and of those that wait the last. */
  async #refreshReport(from_us = this.cursor_us - 400_000, to_us = this.cursor_us + 20_000) {
    if (!this.live || this.busy) return;
    this.#wanted = { from_us: Math.max(0, Math.round(from_us)), to_us: Math.round(to_us) };
    if (this.#asking) return;
    this.#asking = true;
    try {
      while (this.#wanted) {
        const wanted: { from_us: number; to_us: number } = this.#wanted;
        const run = this.#run;
        this.#wanted = null;
        if (this.looks === 'stretch') {
          const asked = performance.now();
          const report = await this.#engine.ask({ kind: 'report', ...wanted });
          this.#reportedAt = performance.now();
          this.#reportTook = this.#reportedAt - asked;
          if (run === this.#run) this.#takeReport(report);
        } else if (this.looks === 'tables') {
          const tables = await this.#engine.ask({ kind: 'tables', at_us: Math.round(this.cursor_us) });
          if (run === this.#run) this.tables = tables;
        } else {
          const digest = await this.#engine.ask({ kind: 'digest', to_us: Math.round(this.cursor_us) });
          if (run === this.#run) this.digest = digest;
        }
      }
    } catch (error) {
      abandoned(error);
    } finally {
      this.#asking = false;
    }
  }

  #takeReport(report: Report) {
    this.report = { ...report, timeline: steadied(report.timeline, this.report?.timeline.lanes ?? []) };
  }

  #failed = 0;
  #failedAsked = 0;

  /** A failed request tells why, beside the code; looked up at a reader's pace. */
  async #explainFailure(frame: Frame) {
    if (frame.requests.failed <= this.#failed || performance.now() - this.#failedAsked < FAILURE_MS) return;
    this.#failed = frame.requests.failed;
    this.#failedAsked = performance.now();
    const run = this.#run;
    try {
      const { timeline } = await this.#engine.ask({ kind: 'report', from_us: Math.max(0, frame.now_us - FAILURE_LOOK_US), to_us: frame.now_us });
      if (run === this.#run) this.failure = lastFailure(timeline) ?? this.failure;
    } catch (error) {
      abandoned(error);
    }
  }

  /** The open view changed, or time went on. */
  refresh() {
    void this.#refreshReport();
  }

  #reportTook = 0;
  #reportedAt = 0;

  lookAt(from_us: number, to_us: number) {
    if (this.playing && performance.now() - this.#reportedAt < this.#reportTook / REPORT_SHARE) return;
    void this.#refreshReport(from_us, to_us);
  }

  async shareLink(): Promise<string> {
    // The thread is a little ahead of the page: the moment that is shared is where it came to stand.
    await this.#halted;
    const shared: Shared = { request: this.#request(), at_us: Math.round(this.cursor_us) };
    // A checksum is of all that has run: it says nothing of a moment in the middle.
    if (this.live && this.cursor_us === this.reached_us) {
      const trace = await this.#engine.ask({ kind: 'trace-hash' }).catch(abandoned);
      if (trace) shared.made = { engine: ENGINE, trace };
    }
    const url = new URL(location.href);
    url.hash = await encode(shared);
    return url.href;
  }

  /** A link promises the same run: where it is not, the reader is told. */
  async #compareWithSender() {
    const sent = this.#sent;
    this.#sent = null;
    if (!sent || this.message?.kind === 'error') return;
    const trace = await this.#engine.ask({ kind: 'trace-hash' }).catch(abandoned);
    if (!trace || trace.startsWith(sent.trace)) return;
    const why = sent.engine === ENGINE ? 'This run did not come out as the one the link was made of' : 'This link was made with another version of the engine, and the run comes out differently here';
    this.message = { kind: 'note', text: `${why}, so numbers may not be those its sender saw.` };
  }

  /** Every event of the run so far, as the command line writes it; empty while there is no live run. */
  async traceJson(): Promise<string> {
    await this.#begun;
    if (!this.live) return '';
    return (await this.#engine.ask({ kind: 'trace-json' }).catch(abandoned)) ?? '';
  }

  /** The run as the command line takes it; empty while there is no live run. */
  async commandLine(): Promise<string> {
    if (!this.live || !this.document) return '';
    try {
      return `twoam run ${this.document.summary.id} --replay '${(await this.#engine.ask({ kind: 'schedule' })).replaceAll("'", "'\\''")}'`;
    } catch (error) {
      abandoned(error);
      return '';
    }
  }

  // What views ask

  /** The talk as the speaker's window shows it; null: none is given. */
  get talk(): Talk | null {
    const { document, beat } = this;
    if (!document || beat === null) return null;
    return {
      title: document.summary.title,
      sentences: document.beats.map(({ sentence }) => sentence),
      notes: document.beats.map(({ note }) => note ?? ''),
      actions: document.beats.map(({ action }) => (action ? this.#inWords(action) : '')),
      beat,
      playing: this.playing,
      moment: moment(this.cursor_us, 1),
      corner: `${this.variantDocument?.label ?? ''}, ${this.environmentDocument?.label ?? ''}`,
      numbers: document.metrics.flatMap((metric, index) => {
        if (!metric.headline) return [];
        const total = this.frame?.metrics[index]?.total;
        return [{ label: opened(metric.label), text: inWords(total, metric.unit), broken: metric.better === 'zero' && (total ?? 0) > 0 }];
      }),
    };
  }

  #inWords(action: BeatAction): string {
    const document = this.document!;
    const labelled = (list: { id: string; label: string }[], id: string) => list.find((candidate) => candidate.id === id)?.label ?? id;
    switch (action.do) {
      case 'environment':
        return `Goes to ${labelled(document.environments, action.environment)}`;
      case 'variant':
        return `Deploys ${labelled(document.variants, action.variant)}`;
      case 'knob':
        return `Sets ${labelled(document.knobs, action.knob)} to ${action.value}`;
      case 'fault':
        return `Switches ${labelled(document.faults, action.fault)} ${action.on ? 'on' : 'off'}`;
      case 'play':
        return 'Plays';
      case 'pause':
        return 'Pauses';
    }
  }

  get environmentDocument(): EnvironmentDocument | undefined {
    return this.document?.environments.find(({ id }) => id === this.environment);
  }

  get variantDocument(): VariantDocument | undefined {
    return this.document?.variants.find(({ id }) => id === this.variant);
  }

  get activeLines(): LitLine[] {
    return this.frame?.lit ?? [];
  }

  /** Since the variant that runs now was deployed; the whole run when none was. */
  since(metric: number): { total: number; before: number } {
    const total = this.frame?.metrics[metric]?.total ?? 0;
    const before = Math.min(total, this.#stretch?.totals[metric] ?? 0);
    return { total: total - before, before };
  }

  brokenSince(invariant: number): { total: number; before: number } {
    const total = this.frame?.invariants[invariant]?.broken_ever ?? 0;
    const before = Math.min(total, this.#stretch?.broken[invariant] ?? 0);
    return { total: total - before, before };
  }

  /** When the variant that runs at the cursor was deployed; null: it ran from the start. */
  get deployed_us(): number | null {
    return this.#stretch && this.#stretch.at_us > 0 ? this.#stretch.at_us : null;
  }

  /** Where the run ends. */
  get horizon_us(): number {
    return this.live ? Math.max(1, this.environmentDocument?.length_s ?? 60) * 1_000_000 : this.reached_us;
  }
}

export function corner(variant: string, environment: string): string {
  return `${variant}.${environment}`;
}

export function isNaive(variant: string): boolean {
  return variant === NAIVE;
}

/** So that nobody waits half a minute for a queue to grow. */
function pace(document: ScenarioDocument, recorded: Recordings | null): number {
  const production = document.environments.at(-1);
  const run = production && recorded?.[corner(NAIVE, production.id)];
  if (!run) return 1;
  const broken = run.frames.find(({ invariants }) => invariants.some(({ broken_ever }) => broken_ever > 0));
  return broken && broken.now_us <= SLOW_BREAK_US ? 1 : SLOW_BREAK_SPEED;
}

function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return asSentence(text);
}

function abandoned(error: unknown): undefined {
  if (!(error instanceof Abandoned)) throw error;
}
