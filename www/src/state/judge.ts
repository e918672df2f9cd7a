// What a run's frames say of each stretch of one variant: how much it answered, what it broke itself, and what was
// broken before it. Functions of what they are given; nothing is kept here.

import { isNaive } from '../core/scenario';
import type { Frame, ScenarioDocument, TimedChange } from '../core/types';

/** Requests of the old variant are still ending this long after a deploy; what they break is not the new one's. */
const DRAIN_US = 1_000_000;
/** Rows that naive code spoiled, and answers its clients still wait for, break a rule this long after it is gone. */
const INHERITED_DAMAGE_US = 6_000_000;

/** What happened in one of the four corners, since the run began or since that variant was deployed. */
export interface Outcome {
  requests: number;
  broken: number;
}

/** Where a stretch of one variant began: the totals then, so that it is judged by what it did itself. */
export interface Stretch {
  at_us: number;
  variant: string;
  totals: readonly number[];
  broken: readonly number[];
  requests: number;
}

/** A total, split by where a stretch began. */
export interface Since {
  total: number;
  before: number;
}

type Rules = Pick<ScenarioDocument, 'metrics' | 'invariants'>;

/** A stretch as it begins; without a frame the run begins with it. */
export function beginStretch(variant: string, at_us: number, frame: Frame | null): Stretch {
  return {
    at_us,
    variant,
    totals: frame?.metrics.map(({ total }) => total) ?? [],
    broken: frame ? brokenIn(frame) : [],
    requests: frame ? answered(frame) : 0,
  };
}

/** While what came before it is still ending, a stretch's own damage has not begun: it is counted from this frame. */
export function drained(stretch: Stretch, frame: Frame, rules: Rules): Stretch {
  if (stretch.at_us === 0 || frame.now_us >= stretch.at_us + drain_us(stretch.variant, rules)) return stretch;
  return {
    ...stretch,
    broken: brokenIn(frame),
    totals: rules.metrics.map(({ better }, index) => (better === 'zero' ? frame.metrics[index]?.total : stretch.totals[index]) ?? 0),
  };
}

export function outcome(stretch: Stretch, frame: Frame): Outcome {
  const broken = frame.invariants.reduce((sum, { broken_ever }, index) => sum + broken_ever - (stretch.broken[index] ?? 0), 0);
  return { requests: answered(frame) - stretch.requests, broken };
}

/** The stretch a moment lies in. */
export function stretchAt(stretches: readonly Stretch[], at_us: number): Stretch | undefined {
  return stretches.findLast((stretch) => stretch.at_us <= at_us);
}

export function metricSince(stretch: Stretch | undefined, frame: Frame | null, metric: number): Since {
  return split(frame?.metrics[metric]?.total ?? 0, stretch?.totals[metric] ?? 0);
}

export function brokenSince(stretch: Stretch | undefined, frame: Frame | null, invariant: number): Since {
  return split(frame?.invariants[invariant]?.broken_ever ?? 0, stretch?.broken[invariant] ?? 0);
}

/** Which variant runs at a moment, by what was deployed. */
export function variantAt(changes: readonly TimedChange[], initial: string, at_us: number): string {
  const deployed = changes.findLast((timed) => timed.change.kind === 'variant' && timed.at_us <= at_us + 1);
  return deployed?.change.kind === 'variant' ? deployed.change.variant : initial;
}

/** What has been broken so far, in the scenario's own sentences. */
export function brokenSentences({ invariants }: Rules, frame: Frame): string {
  return invariants
    .filter((_, index) => (frame.invariants[index]?.broken_ever ?? 0) > 0)
    .map(({ sentence }) => sentence)
    .join('; ');
}

function drain_us(variant: string, { invariants }: Rules): number {
  return (isNaive(variant) ? DRAIN_US : INHERITED_DAMAGE_US) + 1_000 * Math.max(0, ...invariants.map(({ settle_ms }) => settle_ms));
}

/** A moment before the stretch has less than the stretch began with. */
function split(all: number, atBeginning: number): Since {
  const before = Math.min(all, atBeginning);
  return { total: all - before, before };
}

function answered({ requests }: Frame): number {
  return requests.ok + requests.failed;
}

function brokenIn(frame: Frame): number[] {
  return frame.invariants.map(({ broken_ever }) => broken_ever);
}
