// A stretch of a run as shapes: a lane for each client and service, spans in virtual time, an arrow from a wait to
// whoever holds the lock. Positions are CSS pixels in the plot; no canvas, no colours.

import type { LaneFamily, Span, SpanFamily, Timeline } from '../core/types';

export interface Window {
  from_us: number;
  to_us: number;
  width: number;
  /** The lanes that are drawn, from above. */
  rows: readonly number[];
  /** How far the report goes: what is still going on is drawn up to here. */
  known_us: number;
  /** Of the visible part; lanes outside of it are left out. */
  top: number;
  height: number;
}

export interface Bar {
  x: number;
  y: number;
  width: number;
  height: number;
  family: SpanFamily;
  /** Index into the report's spans. */
  span: number;
  /** Drawn inside, when there is room for it. */
  label: string;
}

export interface LaneRow {
  y: number;
  label: string;
  family: LaneFamily;
}

export interface Tick {
  x: number;
  at_us: number;
}

export interface ArrowLine {
  x: number;
  fromY: number;
  toY: number;
}

export interface Drawing {
  lanes: LaneRow[];
  bars: Bar[];
  arrows: ArrowLine[];
  ticks: Tick[];
  /** Distance of two ticks. */
  tick_us: number;
}

export const LANE_HEIGHT = 22;
const LABEL_FROM = 48;
const TICK_DISTANCE = 110;

/** A request is a rule under its lane; what it does stands on it. */
function box(family: SpanFamily): { offset: number; height: number } {
  switch (family) {
    case 'request':
    case 'request-failed':
      return { offset: LANE_HEIGHT - 4, height: 2 };
    case 'sleep':
      return { offset: 10, height: 2 };
    default:
      return { offset: 4, height: 13 };
  }
}

/**
 * The lanes in which something goes on around a window; of two hundred clients few do anything in 60 ms. Lanes that are
 * busy up to a width before or after stay, or rows would jump while the window moves.
 */
export function busyLanes(timeline: Timeline, from_us: number, to_us: number, known_us: number): number[] {
  const reach_us = to_us - from_us;
  const near = (start_us: number, end_us: number) => end_us >= from_us - reach_us && start_us <= to_us + reach_us;
  const busy = new Set<number>();
  for (const { lane, from_us, to_us } of timeline.spans) if (near(from_us, to_us ?? known_us)) busy.add(lane);
  for (const { at_us, from_lane, to_lane } of timeline.arrows) if (near(at_us, at_us)) busy.add(from_lane).add(to_lane);
  return [...busy].sort((a, b) => a - b);
}

export function draw(timeline: Timeline, window: Window): Drawing {
  const { from_us, to_us, known_us, width, top, height } = window;
  const scale = width / Math.max(1, to_us - from_us);
  const firstRow = Math.floor(top / LANE_HEIGHT);
  const lastRow = Math.ceil((top + height) / LANE_HEIGHT);
  const rowOf = new Map(window.rows.map((lane, row) => [lane, row]));

  const lanes = window.rows.slice(firstRow, lastRow + 1).map((lane, index): LaneRow => {
    const { label, family } = timeline.lanes[lane]!;
    return { y: (firstRow + index) * LANE_HEIGHT - top, label, family };
  });

  const bars: Bar[] = [];
  const lastEdge = new Map<number, number>();
  timeline.spans.forEach((span, index) => {
    const row = rowOf.get(span.lane);
    if (row === undefined || row < firstRow || row > lastRow) return;
    const end_us = span.to_us ?? known_us;
    if (end_us < from_us || span.from_us > to_us) return;
    const left = Math.max(-4, (span.from_us - from_us) * scale);
    const right = Math.min(width + 4, (end_us - from_us) * scale);
    const { offset, height } = box(span.family);
    // Far out, many spans fall on one pixel: the first of a kind stands for them.
    const kind = span.lane * 16 + offset;
    if (right - left < 1 && lastEdge.get(kind) === Math.floor(right)) return;
    lastEdge.set(kind, Math.floor(right));
    bars.push({
      x: left,
      y: row * LANE_HEIGHT + offset - top,
      width: Math.max(1, right - left),
      height,
      family: span.family,
      span: index,
      label: height > 4 && right - left >= LABEL_FROM ? span.label : '',
    });
  });

  const arrows = timeline.arrows
    .filter(({ at_us, from_lane, to_lane }) => at_us >= from_us && at_us <= to_us && rowOf.has(from_lane) && rowOf.has(to_lane))
    .map(({ at_us, from_lane, to_lane }) => ({
      x: (at_us - from_us) * scale,
      fromY: (rowOf.get(from_lane)! + 0.5) * LANE_HEIGHT - top,
      toY: (rowOf.get(to_lane)! + 0.5) * LANE_HEIGHT - top,
    }))
    .filter(({ fromY, toY }) => Math.max(fromY, toY) >= 0 && Math.min(fromY, toY) <= height);

  const tick_us = step((to_us - from_us) / Math.max(1, width / TICK_DISTANCE));
  const ticks: Tick[] = [];
  for (let at_us = Math.ceil(from_us / tick_us) * tick_us; at_us <= to_us; at_us += tick_us) {
    ticks.push({ at_us, x: (at_us - from_us) * scale });
  }
  return { lanes, bars, arrows, ticks, tick_us };
}

/** The smallest of 1, 2, 5 times a power of ten that is not below. */
function step(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, atLeast)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= atLeast) ?? power * 10;
}

/** What stands at a point of the drawing: inner spans before the request around them. */
export function at(drawing: Drawing, x: number, y: number): number | null {
  let found: Bar | null = null;
  for (const bar of drawing.bars) {
    const rule = bar.height <= 2;
    const near = rule ? 6 : 2;
    if (x < bar.x - 2 || x > bar.x + bar.width + 2 || y < bar.y - near || y > bar.y + bar.height + near) continue;
    if (!found || (found.height <= 2 && !rule) || (bar.width < found.width && found.height <= 2 === rule)) found = bar;
  }
  return found?.span ?? null;
}

/** The next or previous span of a lane, for the keyboard. */
export function neighbour(spans: readonly Span[], current: number | null, key: 'left' | 'right' | 'up' | 'down'): number | null {
  if (spans.length === 0) return null;
  const from = current === null ? undefined : spans[current];
  if (!from) return 0;
  if (key === 'left' || key === 'right') {
    const order = spans.map((span, index) => ({ span, index })).filter(({ span }) => span.lane === from.lane);
    const place = order.findIndex(({ index }) => index === current);
    return order[place + (key === 'right' ? 1 : -1)]?.index ?? current;
  }
  // The next lane that has spans, and there the nearest in time.
  const apart = ({ lane }: Span) => (key === 'down' ? lane - from.lane : from.lane - lane);
  const distance = (span: Span) => [apart(span), Math.abs(span.from_us - from.from_us)] as const;
  let nearest: number | null = null;
  spans.forEach((span, index) => {
    if (apart(span) <= 0) return;
    const [lanes, time] = distance(span);
    const [fewest, shortest] = nearest === null ? [Infinity, Infinity] : distance(spans[nearest]!);
    if (lanes < fewest || (lanes === fewest && time < shortest)) nearest = index;
  });
  return nearest ?? current;
}
