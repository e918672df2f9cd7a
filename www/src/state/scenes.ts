// What stands on the screen at a beat of a talk: a function of the scenario and the beat alone, so that going on, going
// back and reloading show the same.

import type { CodeLines, Picture, RunRequest, ScenarioDocument, TimedChange } from '../core/types';

/** Every talk is given with the run that every reader begins with. */
const SEED = 1;

export interface BeatState {
  request: RunRequest;
  /** Where the beat begins, and where it comes to stand. */
  from_us: number;
  until_us: number;
  speed: number;
  /** What stands beside the code. */
  picture: Picture;
  /** The lines that the sentence is about. */
  lines: CodeLines | null;
}

/** Before the first beat, -1, everything stands at its beginning. */
export function stateOfBeat(document: ScenarioDocument, beat: number): BeatState {
  const scene = document.scenes[beat];
  const first = document.metrics.find(({ headline }) => headline) ?? document.metrics[0];
  const request = (variant: string, environment: string, knobs: RunRequest['knobs'], changes: TimedChange[]): RunRequest => ({
    scenario: document.summary.id,
    variant,
    environment,
    seed: SEED,
    knobs: { ...knobs },
    sources: {},
    changes: changes.map(({ at_us, change }) => ({ at_us, change: { ...change } })),
  });
  if (!scene) {
    return {
      request: request(document.variants[0]?.id ?? '', document.environments[0]?.id ?? '', {}, []),
      from_us: 0,
      until_us: 0,
      speed: 1,
      picture: { kind: 'chart', metric: first?.id ?? '' },
      lines: null,
    };
  }
  const { variant, environment, knobs, changes, from_us, until_us, speed, picture, lines } = scene;
  return { request: request(variant, environment, knobs, changes), from_us, until_us, speed, picture, lines };
}

/**
 * What is still to be done to a run of one request, which has come so far, for it to be the run of a beat; null: it is
 * another run.
 */
export function stillToDo(run: RunRequest, reached_us: number, { request, from_us }: BeatState): TimedChange[] | null {
  const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  const { changes: made, ...begun } = run;
  const { changes: wanted, ...asked } = request;
  if (reached_us > from_us || !same(sorted(begun), sorted(asked))) return null;
  if (!same(made.map(written), wanted.slice(0, made.length).map(written))) return null;
  const missing = wanted.slice(made.length);
  return missing.every(({ at_us }) => at_us >= reached_us) ? missing : null;
}

function written({ at_us, change }: TimedChange): unknown {
  return [at_us, sorted(change)];
}

/** With the fields in one order, whoever wrote them. */
function sorted(value: object): unknown {
  return Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
