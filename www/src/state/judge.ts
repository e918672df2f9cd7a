// What a frame says of the code that ran: each stretch of one variant has been judged where it was run, by what its own
// code did. Functions of what they are given; nothing is kept here.

import type { Frame, ScenarioDocument, Stretch, Verdict } from '../core/types';
import { amount, damageOf, type Damage } from '../draw/damage';

/** What happened in one of the four corners, since the run began or since that variant was deployed. */
export interface Outcome {
  verdict: Verdict;
  /** What went wrong, in the scenario's own unit. */
  damage: number;
  /** Rows and requests that broke a rule. */
  cases: number;
  requests: number;
  /** The code was not the scenario's own. */
  edited: boolean;
}

/** A total, split by where a stretch began. */
export interface Since {
  total: number;
  before: number;
}

export type Rules = Pick<ScenarioDocument, 'metrics' | 'invariants' | 'damage'>;

export function outcome(stretch: Stretch, rules: Rules): Outcome {
  const damage = damageOf(rules);
  const { verdict, answered: requests, broken, edited } = stretch;
  return { verdict, damage: damage ? amount(damage, stretch) : 0, cases: broken.reduce((sum, count) => sum + count, 0), requests, edited };
}

/** What runs at a frame. */
export function stretchOf(frame: Frame | null | undefined): Stretch | undefined {
  return frame?.stretches.at(-1);
}

export function metricSince(frame: Frame | null, metric: number): Since {
  const total = stretchOf(frame)?.metrics[metric] ?? 0;
  return { total, before: Math.max(0, (frame?.metrics[metric]?.total ?? 0) - total) };
}

export function brokenSince(frame: Frame | null, invariant: number): Since {
  const broken = frame?.stretches.map((stretch) => stretch.broken[invariant] ?? 0) ?? [];
  const total = broken.at(-1) ?? 0;
  return { total, before: broken.reduce((sum, count) => sum + count, 0) - total };
}

export function damageSince(damage: Damage, frame: Frame | null): Since {
  const amounts = frame?.stretches.map((stretch) => amount(damage, stretch)) ?? [];
  const total = amounts.at(-1) ?? 0;
  return { total, before: amounts.reduce((sum, one) => sum + one, 0) - total };
}

/** What has been broken so far, in the scenario's own sentences. */
export function brokenSentences({ invariants }: Rules, frame: Frame): string {
  return invariants
    .filter((_, index) => frame.stretches.some(({ broken }) => (broken[index] ?? 0) > 0))
    .map(({ sentence }) => sentence)
    .join('; ');
}
