// What is chosen: the scenario, its code and conditions, and the reader's edits. A run is made of it; moving it
// starts none.

import { isNaive, NAIVE, SCHEMA_FILE } from '../core/scenario';
import { keepEdits } from '../core/storage';
import type { EnvironmentDocument, RunRequest, ScenarioDocument, TimedChange, VariantDocument } from '../core/types';

export class Selection {
  document = $state.raw<ScenarioDocument | null>(null);
  variant = $state('');
  environment = $state('');
  /** The hardened variant the second row of the grid stands for. */
  hardened = $state('');
  seed = $state(1);
  /** Only those moved away from the environment's own. */
  knobs = $state<{ [knob in string]: number }>({});
  /** Only those switched away from the environment's own. */
  faults = $state<{ [fault in string]: boolean }>({});
  edits = $state<{ [file in string]: string }>({});
  /** Files edited since they were last deployed or run. */
  undeployed = $state<{ [file in string]: true }>({});

  /** Naive code on one's own machine, with the reader's edits. */
  open(document: ScenarioDocument, edits: { [file in string]: string }) {
    this.document = document;
    this.hardened = document.variants.find(({ id }) => !isNaive(id))?.id ?? NAIVE;
    this.seed = 1;
    this.edits = edits;
    this.undeployed = {};
    this.toStart();
  }

  /** Where every reader begins and every talk. */
  toStart() {
    this.variant = NAIVE;
    this.chooseEnvironment(this.document?.environments[0]?.id ?? this.environment);
  }

  chooseVariant(variant: string) {
    this.variant = variant;
    if (!isNaive(variant)) this.hardened = variant;
  }

  /** Its knobs and faults are its own again. */
  chooseEnvironment(environment: string) {
    this.environment = environment;
    this.knobs = {};
    this.faults = {};
  }

  /** What a link has sent. Returns what the scenario does not have, in words. */
  restore(request: RunRequest): string[] {
    const { document } = this;
    if (!document) return [];
    const missing: string[] = [];
    if (document.variants.some(({ id }) => id === request.variant)) this.chooseVariant(request.variant);
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
    return missing;
  }

  /** What was changed while a run went is what is chosen after it. */
  follow(changes: readonly TimedChange[]) {
    for (const { change } of changes) {
      if (change.kind === 'variant') this.chooseVariant(change.variant);
      else if (change.kind === 'knob') this.knobs[change.knob] = change.value;
      else if (change.kind === 'fault') this.faults[change.fault] = change.on;
      else this.edits[change.file] = change.text;
    }
  }

  /** What a request asks for is chosen, and nothing else. */
  choose({ variant, environment, seed, knobs, changes }: RunRequest) {
    this.chooseEnvironment(environment);
    this.chooseVariant(variant);
    this.seed = seed;
    this.knobs = { ...knobs };
    this.follow(changes);
  }

  /** The scenario's own code, as if nobody had edited it. Returns the edits, which stay in this browser. */
  setAside(): { [file in string]: string } {
    const edits = $state.snapshot(this.edits);
    this.edits = {};
    this.undeployed = {};
    return edits;
  }

  /** Edits that were set aside; nothing of them runs yet. */
  takeBack(edits: { [file in string]: string }) {
    this.edits = edits;
    this.undeployed = Object.fromEntries(Object.keys(edits).map((file) => [file, true as const]));
  }

  /** A run of what is chosen, with these changes; without any the faults are as they are switched now. */
  request(changes: readonly TimedChange[] = []): RunRequest {
    const switched = Object.entries(this.faults).map(([fault, on]): TimedChange => ({ at_us: 0, change: { kind: 'fault', fault, on } }));
    return {
      scenario: this.document?.summary.id ?? '',
      variant: this.variant,
      environment: this.environment,
      seed: this.seed,
      // Plain copies: what is reactive cannot be sent to another thread.
      knobs: { ...this.knobs },
      sources: { ...this.edits },
      changes: [...(changes.some(({ at_us }) => at_us === 0) ? [] : switched), ...changes],
    };
  }

  /** Whether this browser keeps it. */
  edit(file: string, text: string): boolean {
    if (text === this.ownSource(file)) delete this.edits[file];
    else this.edits[file] = text;
    this.undeployed[file] = true;
    return !this.document || keepEdits(this.document.summary.id, $state.snapshot(this.edits));
  }

  sourceOf(file: string): string {
    return this.edits[file] ?? this.ownSource(file);
  }

  /** Its file, or the schema, is not as the scenario has it. */
  isEdited(variant: string): boolean {
    const file = this.document?.variants.find(({ id }) => id === variant)?.file ?? '';
    return file in this.edits || SCHEMA_FILE in this.edits;
  }

  /** `Naive, edited`. */
  labelOf(variant: string): string {
    const label = this.document?.variants.find(({ id }) => id === variant)?.label ?? variant;
    return this.isEdited(variant) ? `${label}, edited` : label;
  }

  ownSource(file: string): string {
    if (file === SCHEMA_FILE) return this.document?.schema ?? '';
    return this.document?.variants.find((variant) => variant.file === file)?.source ?? '';
  }

  knobValue(id: string): number {
    return this.knobs[id] ?? this.environmentDocument?.knobs[id] ?? 0;
  }

  faultOn(id: string): boolean {
    return this.faults[id] ?? this.environmentDocument?.faults.includes(id) ?? false;
  }

  get environmentDocument(): EnvironmentDocument | undefined {
    return this.document?.environments.find(({ id }) => id === this.environment);
  }

  get variantDocument(): VariantDocument | undefined {
    return this.document?.variants.find(({ id }) => id === this.variant);
  }
}
