// How fast an embed goes through a run, so that a stranger sees it break and mend within some ten seconds.

import type { Frame, ScenarioDocument } from '../core/types';

/** The reader's seconds until it breaks. */
const BREAKS_AFTER_S = 2.2;
/** How long the break is looked at before the fix is deployed. */
export const LOOKED_AT_S = 2.5;
/** How long the fix takes to settle, about; that is gone through within as many of the reader's seconds. */
const SETTLES_S = 8;
const SETTLES_WITHIN_S = 4;
/** How long what holds is looked at. */
export const HOLDS_FOR_S = 2;
/** How much of a run is shown that is not mended, in its own seconds. */
export const SHOWN_S = 12;
/** Of the time that is left when it breaks, the fix needs most. */
const LOOKED_AT_SHARE = 0.3;
const UNKNOWN_SPEED = 2;
const FASTEST = 16;

/** While naive code runs. `frames`: a run that is like it. */
export function speedOfBreak(frames: readonly Frame[]): number {
  const at_us = frames.find(({ invariants }) => invariants.some(({ broken_ever }) => broken_ever > 0))?.now_us;
  return at_us === undefined ? UNKNOWN_SPEED : Math.min(FASTEST, Math.max(1, at_us / 1_000_000 / BREAKS_AFTER_S));
}

/** While the fix runs. */
export function speedOfFix({ invariants }: Pick<ScenarioDocument, 'invariants'>): number {
  const settle_s = Math.max(0, ...invariants.map(({ settle_ms }) => settle_ms)) / 1_000;
  return (SETTLES_S + settle_s) / SETTLES_WITHIN_S;
}

/** How much of the run is shown after the fix, about. */
export function afterFix_us(rules: Pick<ScenarioDocument, 'invariants'>): number {
  return speedOfFix(rules) * (SETTLES_WITHIN_S + HOLDS_FOR_S) * 1_000_000;
}

/** While a run is shown as it was sent, up to the moment its sender looked at. */
export function speedTo(at_us: number): number {
  return Math.min(FASTEST, Math.max(1, at_us / 1_000_000 / 6));
}

/** When the fix is deployed, where it broke at a moment. */
export function deployAt(broke_us: number, speed: number, length_us: number): number {
  return Math.round(Math.min(broke_us + LOOKED_AT_S * 1_000_000 * speed, broke_us + LOOKED_AT_SHARE * Math.max(0, length_us - broke_us)));
}
