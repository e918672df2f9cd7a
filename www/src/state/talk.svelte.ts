// A talk: which beat it is at, what stands beside the code, and how it stands for the speaker's window. What a beat shows is
// told by the scenario; a speaker may wander off, and the next beat brings the script back.

import { talkAddress } from '../stage/address';
import type { TalkStatus } from '../stage/talk';
import type { BeatAction, Picture, Scene, ScenarioDocument } from '../core/types';
import { inWords, moment, opened } from '../draw/format';
import type { RunSession } from './run.svelte';
import { stateOfBeat, type BeatState } from './scenes';
import type { Selection } from './selection.svelte';

export interface Stage {
  /** Brings the run to where the beat has it. */
  enact(state: BeatState): void;
  /** The address as it is now; `begins`: one can go back to the one before. */
  address(hash: string, begins: boolean): void;
}

export class Talk {
  /** Place in the scenario's beats; null: no talk is given, -1: before the first. */
  beat = $state<number | null>(null);
  /** What the speaker looks at instead of the beat's own picture. */
  aside = $state.raw<Picture | null>(null);

  #selection: Selection;
  #run: RunSession;
  #stage: Stage;
  /** The reader's edits: a talk shows the scenario's own code. */
  #edits: { [file in string]: string } = {};

  constructor(selection: Selection, run: RunSession, stage: Stage) {
    this.#selection = selection;
    this.#run = run;
    this.#stage = stage;
  }

  get given(): boolean {
    return this.beat !== null;
  }

  /** What the beat shows; null: no talk is given. */
  get state(): BeatState | null {
    const { document } = this.#selection;
    return document && this.beat !== null ? stateOfBeat(document, this.beat) : null;
  }

  get picture(): Picture | null {
    return this.aside ?? this.state?.picture ?? null;
  }

  begin(beat = -1) {
    this.#edits = this.#selection.setAside();
    this.#tell(beat, !this.given);
  }

  end() {
    if (!this.given) return;
    this.beat = null;
    this.#selection.takeBack(this.#edits);
    this.#stage.address(`#${this.#selection.document?.summary.id ?? ''}`, true);
  }

  /** The scenario is about to be another one, or what is shown no talk. */
  leave() {
    this.beat = null;
  }

  next() {
    if (this.beat !== null && this.beat < (this.#selection.document?.beats.length ?? 0) - 1) this.#tell(this.beat + 1);
  }

  previous() {
    if (this.beat !== null && this.beat >= 0) this.#tell(this.beat - 1);
  }

  /** The beat from its beginning. */
  again() {
    if (this.beat !== null) this.#tell(this.beat);
  }

  /** Where the beat comes to stand, at once. */
  finish() {
    const { state } = this;
    if (state) this.#stage.enact({ ...state, from_us: state.until_us });
  }

  #tell(beat: number, begins = false) {
    const { document } = this.#selection;
    if (!document) return;
    this.beat = Math.min(Math.max(beat, -1), document.beats.length - 1);
    this.aside = null;
    this.#stage.address(talkAddress({ scenario: document.summary.id, beat: this.beat }), begins);
    this.#stage.enact(stateOfBeat(document, this.beat));
  }

  /** As the speaker's window shows it; null: none is given. */
  get status(): TalkStatus | null {
    const { document, variantDocument, environmentDocument } = this.#selection;
    const { frame, playing, cursor_us } = this.#run;
    if (!document || this.beat === null) return null;
    return {
      title: document.summary.title,
      sentences: document.beats.map(({ sentence }) => sentence),
      notes: document.beats.map(({ note }) => note ?? ''),
      actions: document.beats.map(({ action }, beat) => beatInWords(action, document.scenes[beat], document)),
      beat: this.beat,
      playing,
      moment: moment(cursor_us, 1),
      corner: `${variantDocument?.label ?? ''}, ${environmentDocument?.label ?? ''}`,
      numbers: document.metrics.flatMap((metric, index) => {
        if (!metric.headline) return [];
        const total = frame?.metrics[index]?.total;
        return [{ label: opened(metric.label), text: inWords(total, metric.unit), broken: metric.better === 'zero' && (total ?? 0) > 0 }];
      }),
    };
  }
}

/** `Deploys Atomic UPDATE, plays from 6.0 s to 12.0 s`. */
function beatInWords(action: BeatAction | null, scene: Scene | undefined, document: ScenarioDocument): string {
  const parts = action ? [actionInWords(action, document)] : [];
  if (scene && scene.until_us > scene.from_us) parts.push(`plays from ${moment(scene.from_us, 1)} to ${moment(scene.until_us, 1)}`);
  else if (scene) parts.push(`stands at ${moment(scene.from_us)}`);
  return opened(parts.join(', '));
}

function actionInWords(action: BeatAction, document: ScenarioDocument): string {
  const labelled = (list: { id: string; label: string }[], id: string) => list.find((candidate) => candidate.id === id)?.label ?? id;
  switch (action.do) {
    case 'environment': {
      const code = action.variant === null ? '' : ` with ${labelled(document.variants, action.variant)}`;
      return `begins ${labelled(document.environments, action.environment)}${code}`;
    }
    case 'variant':
      return `deploys ${labelled(document.variants, action.variant)}`;
    case 'knob':
      return `sets ${labelled(document.knobs, action.knob)} to ${action.value}`;
    case 'fault':
      return `switches ${labelled(document.faults, action.fault)} ${action.on ? 'on' : 'off'}`;
  }
}
