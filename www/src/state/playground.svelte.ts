// The page's state put together. Views read its parts and call its intents, and so may a script from outside; each
// part knows itself: what is chosen, the run, its detail, the talk.

import { absenceInWords, lossInWords, Refused, type Loss } from '../core/client';
import { catalogue, recordings, scenario, type Recordings } from '../core/catalogue';
import { corner, NAIVE, SCHEMA_FILE } from '../core/scenario';
import type { Shared } from '../core/share';
import { readEdits } from '../core/storage';
import type { Change, Collision, RunRequest, ScenarioDocument, ScenarioSummary, TimedChange, View } from '../core/types';
import { asSentence } from '../draw/format';
import { keepForOffline } from '../offline';
import { Comparison } from './comparison.svelte';
import { ReportFeed } from './feed.svelte';
import { Director } from './director.svelte';
import { recovered } from './recovery';
import { RunSession } from './run.svelte';
import { Selection } from './selection.svelte';
import { differsFrom, readAddress } from './sharing';
import { stillToDo, type BeatState } from './scenes';
import { pace } from './speed';
import { Talk } from './talk.svelte';
import { planTour, READERS_OWN, type Scene } from './tour';
import type { Beginning } from './turns';

export interface Shortfall {
  kind: 'note' | 'error';
  text: string;
}

export class PlaygroundState {
  summaries = $state.raw<ScenarioSummary[]>([]);
  message = $state.raw<Shortfall | null>(null);
  /** The tab of the views below the first screen, and which number's cases it lists; null: all. */
  view = $state<View>('timeline');
  casesOf = $state<string | null>(null);
  /** Which of the texts below is open. */
  text = $state<'story' | 'frameworks' | 'model' | 'real-server' | 'reading'>('story');

  readonly selection = new Selection();
  readonly run = new RunSession({
    began: (keepView) => {
      this.selection.undeployed = {};
      this.feed.clear(keepView);
    },
    recorded: (recording) => this.feed.recorded(recording),
    arrived: () => this.#arrived(),
    refused: (error) => this.#refused(error),
    frame: () => void this.#lookForCollision(),
    rested: () => this.feed.refresh(),
    went: () => this.comparison.play(this.run.speed, this.run.horizon_us),
    halted: () => this.comparison.pause(this.run.reached_us),
    // What is compared keeps its own variant.
    applied: (change) => void (change.kind !== 'variant' && this.comparison.apply(change)),
    unapplied: (error) => this.#fail('', error),
    engineReady: (restarted) => this.#engineReady(restarted),
    engineLost: (loss) => this.#engineLost(loss),
    engineAbsent: (absence) => (this.message = { kind: 'error', text: absenceInWords(absence) }),
  });
  readonly feed = new ReportFeed(this.run);
  readonly talk = new Talk(this.selection, this.run, {
    enact: (state) => this.#enact(state),
    address: (hash, begins) => {
      if (hash === location.hash) return;
      if (begins) history.pushState(null, '', hash);
      else history.replaceState(null, '', hash);
    },
  });
  readonly comparison = new Comparison((reason) => (this.message = { kind: 'note', text: reason }));

  /** Shows the scenario by itself. */
  readonly director = new Director({
    enterMachine: () => this.#enter(this.selection.document?.environments[0]?.id),
    enterProduction: () => this.#enter(this.selection.document?.environments.at(-1)?.id),
    deployFix: () => this.deployFix(),
    play: () => this.play(),
    pause: () => this.pause(),
    setPace: (speed) => this.run.setSpeed(speed),
    endPace: () => this.run.setSpeed(this.#usualSpeed()),
    moment: () => this.run.cursor_us,
    isOver: () => this.run.over,
  });
  /** Null: the scenario was not recorded, so it cannot be shown by itself. */
  tour = $state.raw<Scene[] | null>(null);
  /** The first two requests of naive code in production that collide: as recorded, or of the reader's own run. */
  collision = $state.raw<Collision | null>(null);
  /** Which answer the reader gave to the scenario's question; null: none yet. */
  guess = $state<number | null>(null);

  #recordings: Recordings | null = null;
  #opening = 0;
  /** The message is that a run cannot start. */
  #unstarted = false;
  #chosenSpeed: number | null = null;
  /** What the link that was opened says of its sender's run, until that is compared. */
  #sent: Shared['made'] | null = null;
  /** Of which run the collision was looked up. */
  #collided = 0;

  // Opening

  async open(hash: string) {
    let address: Awaited<ReturnType<typeof readAddress>>;
    try {
      address = await readAddress(hash);
    } catch (error) {
      address = { shared: null, scenario: hash.slice(1) };
      this.message = { kind: 'error', text: `${sentence(error)} Here is the scenario as it is.` };
    }
    if (address.beat === undefined) this.talk.leave();
    try {
      this.summaries = await catalogue();
    } catch (error) {
      this.#fail('The list of scenarios could not be loaded.', error);
      return;
    }
    // Each scenario has a page of its own, which names it.
    const asked = address.scenario || (document.documentElement.dataset.scenario ?? '');
    const known = this.summaries.some(({ id }) => id === asked);
    if (address.shared && !known) this.message = { kind: 'error', text: `This link is for a scenario called “${asked}”, which does not exist here.` };
    const first = this.summaries[0];
    if (known) await this.pick(asked, address);
    else if (first) await this.pick(first.id);
  }

  async pick(id: string, { shared = null, beat }: { shared?: Shared | null; beat?: number } = {}) {
    const opening = ++this.#opening;
    let document: ScenarioDocument;
    let recorded: Recordings | null;
    try {
      [document, recorded] = await Promise.all([scenario(id), recordings(id).catch(() => null)]);
    } catch (error) {
      this.#fail('The scenario could not be loaded.', error);
      return;
    }
    if (opening !== this.#opening) return;
    this.director.end();
    this.run.pause();
    this.run.verdicts.forget(document, recorded);
    this.comparison.end();
    this.casesOf = null;
    this.guess = null;
    this.#recordings = recorded;
    this.selection.open(document, shared ? {} : readEdits(id));
    const production = document.environments.at(-1);
    const broken = production && recorded?.[corner(NAIVE, production.id)];
    this.run.speed = this.#usualSpeed();
    this.tour = planTour(broken ?? null);
    this.collision = broken?.collision ?? null;
    const missing = shared ? this.selection.restore(shared.request) : [];
    if (missing.length > 0) this.message = { kind: 'error', text: `This link names things the scenario does not have: ${missing.join(', ')}. The rest is as it was sent.` };
    this.#sent = shared?.made ?? null;
    if (beat !== undefined) {
      this.talk.begin(beat);
      return;
    }
    const play = !shared && !matchMedia('(prefers-reduced-motion: reduce)').matches;
    // Who has edited the code has seen what it does as it was written.
    if (play && this.tour && Object.keys(this.selection.edits).length === 0) {
      this.showTour();
      return;
    }
    void this.begin({ play, catch_up_us: shared?.at_us ?? 0, changes: shared?.request.changes ?? [] });
  }

  // The run's turns

  #engineReady(restarted: boolean) {
    performance.mark('twoam:engine-ready');
    keepForOffline();
    if (this.talk.given) {
      if (restarted) this.message = null;
      this.talk.again();
      return;
    }
    if (restarted) {
      this.message = { kind: 'note', text: 'The engine was restarted. Your code is kept; press Play to run it again.' };
      void this.begin({ play: false });
      return;
    }
    // Equal requests give equal runs, so the live run takes over from the recorded one where the reader is.
    const { playing: play, cursor_us: catch_up_us, changes, request } = this.run;
    void this.begin({ play, catch_up_us, changes, keepView: true, variant: request?.variant });
  }

  #engineLost(loss: Loss) {
    this.message = { kind: 'error', text: `${lossInWords(loss)} It is being restarted; your code is kept.` };
  }

  #arrived() {
    // A link's or a fork's changes were played; what is chosen now is what they left.
    this.selection.follow(this.run.changes);
    void this.#lookForCollision();
    void this.#compareWithSender();
    this.compareWith(this.comparison.variant);
  }

  #refused(error: unknown) {
    this.#unstarted = true;
    if (error instanceof Refused && error.file) {
      this.message = { kind: 'error', text: `${error.file} does not run as it is, so there is nothing to show. Fix it or revert it.` };
    } else {
      this.#fail('This run cannot start.', error);
    }
  }

  #fail(what: string, error: unknown) {
    this.message = { kind: 'error', text: `${what} ${sentence(error)}`.trim() };
  }

  /** A link promises the same run: where it is not, the reader is told. */
  async #compareWithSender() {
    const sent = this.#sent;
    this.#sent = null;
    if (!sent || this.message?.kind === 'error') return;
    const text = await differsFrom(sent, this.run);
    if (text) this.message = { kind: 'note', text };
  }

  // What is run

  /** Brings the run to where a beat of a talk has it: on from where it is, or from its beginning. */
  #enact(state: BeatState) {
    const { run, selection } = this;
    const { document } = selection;
    if (!document) return;
    const { request, from_us, until_us, speed, picture } = state;
    if (this.message?.kind === 'note') this.message = null;
    if (picture.kind === 'view') this.view = picture.view;
    if (picture.kind === 'cases') this.view = 'cases';
    this.casesOf = picture.kind === 'cases' ? picture.of : null;
    this.comparison.end();
    run.speed = speed;
    const play = until_us > from_us;
    const missing = run.changeable && !run.beginning && run.request ? stillToDo(run.request, run.reached_us, state) : null;
    selection.choose(request);
    const begin = () => {
      const { variant, environment, changes, knobs } = request;
      const exact = changes.length === 0 && Object.keys(knobs).length === 0;
      // Where there will be no engine, the recording of what is deployed is the nearest there is.
      const name = exact ? corner(variant, environment) : run.engine === 'unavailable' ? corner(selection.variant, environment) : '';
      void run.begin({ document, request, recording: this.#recordings?.[name] ?? null }, { play, catch_up_us: from_us, until_us, keepView: run.live });
    };
    const [next, ...further] = missing ?? [];
    if (!missing || further.length > 0 || (next && next.at_us !== from_us)) {
      begin();
      return;
    }
    run.pause();
    const { number } = run;
    void run.goOn({ at_us: from_us, change: next?.change ?? null, until_us, play }).then((came) => {
      if (!came && number === run.number) begin();
    });
  }

  /** A new run of what is chosen now. */
  begin({ changes, variant: first, ...beginning }: Beginning & { changes?: TimedChange[]; variant?: string } = {}): Promise<void> {
    const { document, variant, environment } = this.selection;
    if (!document) return Promise.resolve();
    const recording = this.#recordings?.[corner(variant, environment)] ?? null;
    if (this.message?.kind === 'error' && this.#unstarted) this.message = null;
    this.#unstarted = false;
    // Into a recorded run something else may have been deployed since.
    const request = { ...this.selection.request(changes), variant: first ?? variant };
    return this.run.begin({ document, request, recording }, beginning);
  }

  play() {
    if (this.run.playing || !this.selection.document) return;
    if (this.message?.kind === 'note') this.message = null;
    if (this.run.over) void this.begin();
    else this.run.play();
  }

  pause() {
    this.run.pause();
  }

  reset() {
    if (this.talk.given) this.talk.again();
    else void this.begin();
  }

  setSpeed(speed: number) {
    this.#chosenSpeed = speed;
    this.run.setSpeed(speed);
  }

  setSeed(seed: number) {
    this.selection.seed = seed;
    void this.begin();
  }

  /** Another environment is another run; another variant is deployed into the running one. */
  goTo(variant: string, environment: string) {
    if (environment === this.selection.environment) {
      this.deploy(variant);
      return;
    }
    this.selection.chooseEnvironment(environment);
    this.selection.chooseVariant(variant);
    void this.begin();
  }

  deploy(variant: string) {
    const { run, selection } = this;
    if (variant === selection.variant) {
      this.play();
      return;
    }
    selection.chooseVariant(variant);
    if (run.changeable) {
      run.apply({ kind: 'variant', variant });
      this.play();
      return;
    }
    const { recording } = run;
    const mended = !run.live && run.broken ? recovered(recording, variant) : null;
    if (mended && selection.document) {
      const catch_up_us = Math.min(run.cursor_us, mended.deploy_us);
      void run.begin({ document: selection.document, request: mended.request, recording: mended.recording }, { catch_up_us, keepView: true });
      return;
    }
    // Of a recorded run, the other recording at the same moment.
    const at_us = run.live || run.cursor_us >= run.reached_us ? 0 : run.cursor_us;
    void this.begin({ catch_up_us: at_us });
  }

  toggleVariant() {
    const { variant, hardened } = this.selection;
    this.deploy(variant === NAIVE ? hardened : NAIVE);
  }

  toggleEnvironment() {
    const { document, environment, variant } = this.selection;
    const other = document?.environments.find(({ id }) => id !== environment);
    if (other) this.goTo(variant, other.id);
  }

  setKnob(id: string, value: number) {
    const knob = this.selection.document?.knobs.find((candidate) => candidate.id === id);
    if (!knob) return;
    this.selection.knobs[id] = value;
    this.#change({ kind: 'knob', knob: id, value }, knob.live);
  }

  setFault(id: string, on: boolean) {
    this.selection.faults[id] = on;
    this.#change({ kind: 'fault', fault: id, on }, true);
  }

  #change(change: Change, whileItGoes: boolean) {
    if (whileItGoes && this.run.changeable) this.run.apply(change);
    else void this.begin();
  }

  // The tour

  /** My machine, production, the break, the fix, the recovery, in some ten seconds. */
  showTour() {
    if (this.tour) this.director.begin(this.tour);
  }

  /** A reader opens production: what happens there is slowed at the first collision, and the fix is theirs to deploy. */
  openProduction() {
    const { document } = this.selection;
    const production = document?.environments.at(-1);
    if (!production) return;
    const asRecorded = Object.keys(this.selection.edits).length === 0;
    if (this.tour && asRecorded && !matchMedia('(prefers-reduced-motion: reduce)').matches) this.director.begin(this.tour, READERS_OWN);
    else this.goTo(NAIVE, production.id);
  }

  /** The reader says what will happen, and sees. */
  predict(answer: number) {
    this.guess = answer;
    this.openProduction();
  }

  deployFix() {
    this.deploy(this.selection.hardened);
  }

  /** Naive code from its beginning, as it is written. */
  #enter(environment: string | undefined) {
    this.selection.seed = 1;
    this.selection.chooseVariant(NAIVE);
    this.selection.chooseEnvironment(environment ?? this.selection.environment);
    void this.begin();
  }

  #usualSpeed(): number {
    const production = this.selection.document?.environments.at(-1);
    return this.#chosenSpeed ?? pace(production && this.#recordings?.[corner(NAIVE, production.id)]);
  }

  /** Naive code in production has run in this page. */
  get productionOpened(): boolean {
    const production = this.selection.document?.environments.at(-1);
    return production !== undefined && corner(NAIVE, production.id) in this.run.verdicts.outcomes;
  }

  /** The collision is one of the run that is looked at. */
  get inCollidingRun(): boolean {
    this.run.revision;
    const { request, number } = this.run;
    return request !== null && (this.#collided === number || this.#isAsRecorded(request));
  }

  #isAsRecorded({ variant, environment, seed, knobs, sources, changes }: RunRequest): boolean {
    const production = this.selection.document?.environments.at(-1)?.id;
    const plain = [knobs, sources].every((given) => Object.keys(given).length === 0) && changes.every(({ change }) => change.kind === 'variant');
    return variant === NAIVE && environment === production && seed === 1 && plain;
  }

  /** Of a run that was not recorded. */
  async #lookForCollision() {
    const { run } = this;
    const { number, request, frame } = run;
    if (!run.live || run.beginning || !run.broken || !request || this.#collided === number || request.variant !== NAIVE) return;
    this.#collided = number;
    if (this.#isAsRecorded(request)) {
      this.collision = this.#recordings?.[corner(NAIVE, request.environment)]?.collision ?? null;
      return;
    }
    const found = await run.look({ kind: 'collision', to_us: frame?.now_us ?? run.reached_us });
    if (number === run.number && found) this.collision = found;
  }

  // Code

  edit(file: string, text: string) {
    if (this.selection.edit(file, text)) return;
    this.message = { kind: 'note', text: 'This browser stores nothing for this page, so your edits are lost when you close it. A share link keeps them.' };
  }

  deployEdit(file: string) {
    const { run, selection } = this;
    delete selection.undeployed[file];
    run.notices = [];
    if (file === SCHEMA_FILE || !run.changeable) {
      void this.begin();
      return;
    }
    run.apply({ kind: 'source', file, text: selection.sourceOf(file) });
    this.play();
  }

  revert(file: string) {
    this.edit(file, this.selection.ownSource(file));
    this.deployEdit(file);
  }

  // Comparison

  /** Runs another variant on the same traffic beside this one; null ends that. */
  compareWith(variant: string | null) {
    const { run, comparison } = this;
    const { document } = this.selection;
    const { number, request } = run;
    if (variant === null || !run.live || !document || !request) {
      comparison.end();
      return;
    }
    const changes = request.changes.filter(({ change }) => change.kind !== 'variant');
    void comparison.begin(variant, document, { ...request, variant, changes }, run.reached_us).then(() => {
      if (number === run.number && run.running) comparison.play(run.speed, run.horizon_us);
    });
  }

  /** Lays the run beside the one it is compared with, as far as both have come. */
  async alignComparison() {
    const { run, comparison } = this;
    const to_us = Math.min(run.reached_us, comparison.frame?.now_us ?? 0);
    if (!run.live || run.beginning || comparison.variant === null || to_us === 0) return;
    const answers = await run.look({ kind: 'answers', to_us });
    if (answers) await comparison.align(answers, to_us);
  }

  // What is in view

  /** Where the page explains what stands behind what it shows. */
  showText(text: typeof this.text) {
    this.text = text;
    requestAnimationFrame(() => document.getElementById('texts')?.scrollIntoView());
  }

  /** Opens one of the views; in a talk it takes the place of the beat's own picture until the next beat. */
  look(view: View) {
    this.view = view;
    this.casesOf = null;
    if (this.talk.given) this.talk.aside = { kind: 'view', view };
    else requestAnimationFrame(() => document.getElementById('view')?.scrollIntoView({ block: 'nearest' }));
    this.feed.refresh();
  }

  showCases(of: string) {
    this.view = 'cases';
    this.casesOf = of;
    this.feed.refresh();
  }
}

function sentence(error: unknown): string {
  return asSentence(error instanceof Error ? error.message : String(error));
}
