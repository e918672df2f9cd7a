// Where the points of a load curve stand in their panel. Latency goes up by powers of ten; all panels of a curve share one scale.

import type { RealityCurve, RealityPoint } from '../core/types';
import { grouped } from './format';
import { grouping } from './grouping';

export interface Panel {
  predicted: { x: number; y: number }[];
  observed: { x: number; y: number }[];
  levels: { y: number; text: string }[];
  loads: { x: number; text: string }[];
}

export function byVariant({ points }: RealityCurve): { variant: string; label: string; points: RealityPoint[] }[] {
  return grouping(points, ({ variant }) => variant).map(([variant, points]) => ({ variant, label: points[0]!.label, points }));
}

const LEFT = 44;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 18;

export function panel(curve: RealityCurve, points: readonly RealityPoint[], width: number, height: number): Panel {
  const all = curve.points.flatMap(({ predicted, observed }) => [predicted.p99_ms, observed.p99_ms]).filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(...all, 1_000)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...all, 0.001))));
  const y = (value: number) => {
    const share = (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low);
    return TOP + (1 - share) * (height - TOP - BOTTOM);
  };
  // Loads mostly double: each gets the same room.
  const x = (place: number) => LEFT + (points.length < 2 ? 0.5 : place / (points.length - 1)) * (width - LEFT - RIGHT);
  const levels = Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step));
  return {
    predicted: points.map(({ predicted }, place) => ({ x: x(place), y: y(predicted.p99_ms) })),
    observed: points.map(({ observed }, place) => ({ x: x(place), y: y(observed.p99_ms) })),
    levels: levels.map((value) => ({ y: y(value), text: value >= 1 ? grouped(value) : String(value) })),
    loads: points.map(({ load }, place) => ({ x: x(place), text: String(load) })),
  };
}
