// A talk: the beats of a scenario's manifest, what each does to the run, and how it stands, for the speaker's window.

import type { BeatAction, ScenarioDocument } from '../core/types';
import { inWords, moment, opened } from '../draw/format';
import type { TalkStatus } from '../stage/talk';
import type { RunSession } from './run.svelte';
import type { Selection } from './selection.svelte';

/** What a beat can do to the page. */
export interface Intents {
  goTo(variant: string, environment: string): void;
  deploy(variant: string): void;
  setKnob(knob: string, value: number): void;
  setFault(fault: string, on: boolean): void;
  play(): void;
  reset(): void;
}

export class Talk {
  /** Place in the scenario's beats; null: no talk is given, -1: before the first. */
  beat = $state<number | null>(null);

  #selection: Selection;
  #run: RunSession;
  #intents: Intents;

  constructor(selection: Selection, run: RunSession, intents: Intents) {
    this.#selection = selection;
    this.#run = run;
    this.#intents = intents;
  }

  present(on: boolean) {
    this.beat = on ? -1 : null;
    if (!on) return;
    this.#selection.toStart();
    this.#intents.reset();
  }

  /** Another scenario: its talk begins before its first beat. */
  rewind() {
    if (this.beat !== null) this.beat = -1;
  }

  goTo(beat: number) {
    const wanted = this.#selection.document?.beats[beat];
    if (this.beat === null || !wanted) return;
    this.beat = beat;
    if (wanted.action) this.#act(wanted.action);
  }

  #act(action: BeatAction) {
    switch (action.do) {
      case 'environment':
        return this.#intents.goTo(this.#selection.variant, action.environment);
      case 'variant':
        return this.#intents.deploy(action.variant);
      case 'knob':
        return this.#intents.setKnob(action.knob, action.value);
      case 'fault':
        return this.#intents.setFault(action.fault, action.on);
      case 'play':
        return this.#intents.play();
      case 'pause':
        return this.#run.pause();
    }
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
      actions: document.beats.map(({ action }) => (action ? actionInWords(action, document) : '')),
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

function actionInWords(action: BeatAction, document: ScenarioDocument): string {
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
