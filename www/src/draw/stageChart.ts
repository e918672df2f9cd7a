// One metric over the run, large enough for the last row: what is drawn where, in the pixels of its picture.

import type { Mark, MarkFamily, Metric, Unit } from '../core/types';
import { write } from './format';

export interface StageChart {
  /** The picture's inner box. */
  left: number;
  top: number;
  right: number;
  bottom: number;
  line: string;
  area: string;
  ticks: { y: number; label: string }[];
  times: { x: number; label: string }[];
  marks: { x: number; y: number; family: MarkFamily; label: string; anchor: 'start' | 'end' }[];
}

export interface Asked {
  metric: Metric;
  times_s: readonly number[];
  values: readonly (number | null)[];
  marks: readonly Mark[];
  /** The end of the axis of time. */
  until_us: number;
  width: number;
  height: number;
  /** Height of its letters. */
  font: number;
}

/** A letter's width against its height, on the average. */
const LETTER = 0.56;
const ROWS_MOST = 3;
/** What happens again and again, a process that dies, is named so often. */
const FAULTS_NAMED = 2;

export function stageChart({ metric, times_s, values, marks, until_us, width, height, font }: Asked): StageChart {
  const known = values.filter((value) => value !== null);
  const highest = Math.max(0, ...known);
  const steps = niceSteps(highest, metric, Math.min(highest, ...known));
  const floor = steps[0]!;
  const labels = steps.map((value) => axisLabel(value, metric));
  const left = Math.ceil(Math.max(...labels.map((label) => label.length)) * font * LETTER + font * 0.6);
  const right = width - font;
  const bottom = height - font * 1.8;
  const placed = placeMarks(marks, until_us, left, right, font);
  const rows = Math.max(0, ...placed.map(({ row }) => row + 1));
  const top = font * (0.7 + 1.4 * rows);
  const most = Math.max(highest + (highest - floor) * 0.05, steps.at(-1)!);
  const x = (second: number) => left + (second / (until_us / 1e6)) * (right - left);
  const y = (value: number) => bottom - ((value - floor) / (most - floor)) * (bottom - top);
  const points = times_s.flatMap((second, place) => {
    const value = values[place];
    return value === null || value === undefined ? [] : [[x(second), y(value)] as const];
  });
  const line = points.map(([px, py], place) => `${place === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`).join('');
  return {
    left,
    top,
    right,
    bottom,
    line,
    // An area says how much there is, counted from nothing.
    area: points.length > 1 && floor === 0 ? `${line}L${points.at(-1)![0].toFixed(1)} ${bottom}L${points[0]![0].toFixed(1)} ${bottom}Z` : '',
    ticks: steps.map((value, place) => ({ y: y(value), label: labels[place]! })),
    times: timeSteps(until_us / 1e6).map((second) => ({ x: x(second), label: `${second} s` })),
    marks: placed.map(({ mark, x, row, anchor, label }) => ({ x, y: font * (0.9 + 1.4 * row), family: mark.family, label, anchor })),
  };
}

/** The least that the axis goes up to, so that nothing looks like something. */
const LEAST: { [unit in Unit]: number } = { count: 1, ms: 1, cents: 100, ratio: 0.01, bytes: 1024 };

/** Two or three round values up to the highest, from zero; of memory, which is never near it, from below the lowest. */
function niceSteps(highest: number, { unit }: Metric, lowest: number): number[] {
  const most = Math.max(highest, LEAST[unit]);
  const base = unit === 'bytes' && lowest > most / 2 ? lowest - (most - lowest) / 2 : 0;
  // A round number of bytes is one of the unit it is written in.
  const size = unit === 'bytes' ? 1024 ** Math.floor(Math.log2(most) / 10) : 1;
  const range = Math.max((most - base) / size, LEAST[unit] / size);
  const power = 10 ** Math.floor(Math.log10(range));
  const round = [0.5, 1, 2, 5].map((factor) => factor * power).find((candidate) => range / candidate < 4) ?? power * 5;
  const step = (unit === 'count' ? Math.max(1, round) : round) * size;
  const first = Math.floor(base / step);
  return Array.from({ length: Math.floor(most / step + 1e-9) - first + 1 }, (_, place) => (first + place) * step);
}

function timeSteps(seconds: number): number[] {
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20].find((candidate) => seconds / candidate <= 6) ?? 30;
  return Array.from({ length: Math.floor(seconds / step + 1e-9) + 1 }, (_, place) => Number((place * step).toFixed(1)));
}

function axisLabel(value: number, { unit }: Metric): string {
  if (unit === 'count' && value >= 10_000) return `${value / 1000}k`;
  const written = write(value, unit);
  const digits = written.value.replace(/\.0+$/, '');
  if (value === 0) return '0';
  return written.unit === '$' ? `$${digits}` : written.unit ? `${digits} ${written.unit}` : digits;
}

interface Placed {
  mark: Mark;
  x: number;
  row: number;
  anchor: 'start' | 'end';
  label: string;
}

/** Each label in the first row with room for it, what was done to the run before what came of it; a mark without room has none. */
function placeMarks(marks: readonly Mark[], until_us: number, left: number, right: number, font: number): Placed[] {
  const taken: { from: number; to: number; row: number }[] = [];
  const inTurn = [...marks.filter(({ family }) => family !== 'broken'), ...marks.filter(({ family }) => family === 'broken')];
  let faults = 0;
  return inTurn.map((mark) => {
    const named = mark.family !== 'fault' || ++faults <= FAULTS_NAMED;
    const x = left + (mark.at_us / until_us) * (right - left);
    const wide = mark.label.length * font * LETTER + font;
    const anchor = x + wide > right + font * 0.5 ? 'end' : 'start';
    const [from, to] = anchor === 'start' ? [x, x + wide] : [x - wide, x];
    for (let row = 0; named && row < ROWS_MOST && from >= 0; row++) {
      if (taken.some((other) => other.row === row && other.from < to && from < other.to)) continue;
      taken.push({ from, to, row });
      return { mark, x, row, anchor, label: mark.label };
    }
    return { mark, x, row: 0, anchor, label: '' };
  });
}
