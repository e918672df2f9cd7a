// Lanes that stay where they are: a report names only lanes in which something happened, and the next names others.

import type { Lane, Timeline } from '../core/types';

/** The timeline with all lanes known so far, clients by number, then workers, then services. */
export function steadied(timeline: Timeline, known: readonly Lane[]): Timeline {
  const byLabel = new Map([...known, ...timeline.lanes].map((lane) => [lane.label, lane]));
  const lanes = [...byLabel.values()].sort((a, b) => order(a) - order(b) || a.label.localeCompare(b.label));
  const places = new Map(lanes.map(({ label }, place) => [label, place]));
  const place = (lane: number): number => places.get(timeline.lanes[lane]!.label)!;
  return {
    lanes,
    spans: timeline.spans.map((span) => ({ ...span, lane: place(span.lane) })),
    arrows: timeline.arrows.map((arrow) => ({ ...arrow, from_lane: place(arrow.from_lane), to_lane: place(arrow.to_lane) })),
    spans_left_out: timeline.spans_left_out,
  };
}

function order({ family, label }: Lane): number {
  if (family === 'service') return Number.MAX_SAFE_INTEGER;
  const number = /(\d+)$/.exec(label)?.[1];
  return number === undefined ? Number.MAX_SAFE_INTEGER - 1 : Number(number);
}
