// Samples of a run as the columns a chart draws, never more points than it can show.

import type { Sample } from '../core/types';

export type Columns = [number[], (number | null)[]];

/** How many neighbours become one point, so that no more than so many are drawn. */
export function stride(samples: number, pointsMost: number): number {
  return Math.max(1, Math.ceil(samples / pointsMost));
}

/** Time in seconds and one metric's values; as many neighbours as the stride says are merged by their mean. */
export function columns(samples: readonly Sample[], metric: number, stride: number): Columns {
  const times: number[] = [];
  const values: (number | null)[] = [];
  for (let start = 0; start < samples.length; start += stride) {
    let sum = 0;
    let measured = 0;
    const end = Math.min(samples.length, start + stride);
    for (let index = start; index < end; index++) {
      const value = samples[index]!.values[metric];
      if (value === null || value === undefined) continue;
      sum += value;
      measured += 1;
    }
    times.push(samples[end - 1]!.at_us / 1_000_000);
    values.push(measured > 0 ? sum / measured : null);
  }
  return [times, values];
}

/** A curve cut where other code was deployed, one point shared. Of a sum the second part leaves out what came `before`. */
export function cut(times: readonly number[], values: readonly (number | null)[], at_s: number, before: number | null): { before: (number | null)[]; now: (number | null)[] } {
  const place = at_s > 0 ? times.findIndex((time) => time >= at_s) : 0;
  const from = place < 0 ? times.length : place;
  const own = (value: number | null) => (value === null || before === null ? value : Math.max(0, value - before));
  return {
    before: values.map((value, index) => (index <= from && from > 0 ? value : null)),
    now: values.map((value, index) => (index < from ? null : own(value))),
  };
}
