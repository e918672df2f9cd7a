// Two requests that get into each other's way, as shapes: a lane for each, what it read, wrote and waited for, in the
// order in which it happened. Distances are not times: between two steps lie some microseconds or a second, and a step
// needs room for its words. No colours; positions are CSS pixels.

import type { Collision, CollisionRequest, CollisionStep, ScenarioDocument } from '../core/types';
import { asSentence, grouped, inWords, opened } from './format';

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  words: string;
  look: 'read' | 'write' | 'wait' | 'end' | 'call' | 'failed';
  lane: number;
  /** When it began and ended, in the run's time. */
  from_us: number;
  to_us: number;
}

export interface LaneLine {
  label: string;
  x: number;
  y: number;
  /** Where its line ends. */
  toX: number;
  toY: number;
}

/** From what let a lock go to whoever waited for it. */
export interface Link {
  fromX: number;
  fromY: number;
  toX: number;
  toY: number;
  at_us: number;
}

export interface CollisionDrawing {
  width: number;
  height: number;
  lanes: LaneLine[];
  boxes: Box[];
  links: Link[];
  /** Where a moment lies; times and places both grow. */
  scale: [at_us: number, place: number][];
  /** Time goes to the right, or on a narrow screen down. */
  across: boolean;
}

const HEIGHT = 30;
const LABEL = 84;
const BETWEEN = 6;
/** One step begins after another, also in the other lane. */
const ORDER = 26;
const LANES = [20, 84];
const COLUMN_GAP = 12;
const DOWN = { top: 30, height: 26, between: 4, order: 16 };
/** A narrower drawing goes down. */
const NARROW = 500;
const STEPS_MOST = 6;
const EM = 13.5;

/** The length of words in the page's type, near enough for a box around them. */
function length(words: string): number {
  let ems = 0;
  for (const letter of words) ems += /[ilj.,:;'|!]/.test(letter) ? 0.28 : /[mwMW]/.test(letter) ? 0.84 : /[A-Z0-9$]/.test(letter) ? 0.62 : 0.53;
  return Math.ceil(ems * EM);
}

export function drawCollision(collision: Collision, width: number): CollisionDrawing {
  const across = width >= NARROW;
  const shown = stepsShown(collision);
  for (let most = STEPS_MOST; most > 2; most -= 1) {
    const drawing = lay(collision, atMost(shown, most), width, across);
    if (!across || drawing.width <= width) return { ...drawing, width };
  }
  return { ...lay(collision, atMost(shown, STEPS_MOST), width, false), width };
}

interface Shown {
  step: CollisionStep;
  words: string;
  /** What is left out first has the least. */
  weight: number;
}

/** Of each lane so many, by their weight, in the order of time. */
function atMost(shown: readonly Shown[], most: number): Shown[] {
  const kept = new Set<Shown>();
  for (const lane of new Set(shown.map(({ step }) => step.request))) {
    const own = shown.filter(({ step }) => step.request === lane);
    for (const one of own.toSorted((a, b) => b.weight - a.weight).slice(0, most)) kept.add(one);
  }
  return shown.filter((one) => kept.has(one));
}

function stepsShown(collision: Collision): Shown[] {
  const shared = sharedRows(collision);
  const alone = collision.requests.length === 1;
  return collision.steps.map((step) => ({ step, words: stepInWords(step, shared), weight: weigh(step, shared, alone) }));
}

function weigh(step: CollisionStep, shared: ReadonlySet<string>, alone: boolean): number {
  if (step.failed) return 9;
  if (step.kind === 'wait') return 8;
  const on = rowOf(step);
  if ((step.kind === 'read' || step.kind === 'write') && (on === null ? step.kind === 'read' : shared.has(on))) return 7;
  if (step.kind === 'call') return 6;
  if (step.kind === 'answer') return 5;
  if (step.kind === 'write') return alone ? 4 : 3;
  return step.kind === 'read' ? 3 : 2;
}

function rowOf({ table, key }: CollisionStep): string | null {
  return table === null || key === null ? null : `${table} ${key}`;
}

/** Rows that more than one request read, wrote or waited for. */
function sharedRows({ steps }: Collision): Set<string> {
  const byRow = new Map<string, Set<number>>();
  for (const step of steps) {
    const row = rowOf(step);
    if (row) byRow.set(row, (byRow.get(row) ?? new Set()).add(step.request));
  }
  return new Set([...byRow].filter(([, requests]) => requests.size > 1).map(([row]) => row));
}

/** `stock 7`, `balance $50,000.00`, `on call true`. */
function cellInWords({ column, value }: { column: string; value: string | null }): string {
  const name = column.replace(/_cents$/, '').replaceAll('_', ' ');
  if (value === null) return `${name} null`;
  if (column.endsWith('_cents') && /^-?\d+$/.test(value)) return `${name} ${inWords(Number(value), 'cents')}`;
  const written = value === 't' ? 'true' : value === 'f' ? 'false' : value;
  return `${name} ${written.length > 14 ? `${written.slice(0, 13)}…` : written}`;
}

export function stepInWords(step: CollisionStep, shared: ReadonlySet<string>): string {
  const { kind, label, failed, table, key, cells, times } = step;
  const often = times > 1 ? ` ×${grouped(times)}` : '';
  const row = key !== null && key.length <= 8 ? `${table} ${key}` : (table ?? '');
  const cell = cells[0];
  // A row of which nothing changes, or one of several, is told by its name.
  const told = cell && cell.value !== key && shared.size <= 1 ? cellInWords(cell) : row;
  if (failed && (kind === 'read' || kind === 'write')) return label.replace(/^\w{5}: /, '').slice(0, 40);
  switch (kind) {
    case 'read':
      return (table === null ? 'finds nothing' : /\bFOR (UPDATE|SHARE|NO KEY UPDATE|KEY SHARE)\b/i.test(label) ? `locks ${told}` : `reads ${told}`) + often;
    case 'write':
      return (/^INSERT\b/i.test(label) ? `inserts ${table}` : /^DELETE\b/i.test(label) ? `deletes ${row}` : `writes ${told}`) + often;
    case 'wait':
      return table === null ? label : shared.size > 1 ? `waits for ${row}` : 'waits for the row';
    case 'commit':
      return 'commits';
    case 'rollback':
      return 'rolls back';
    case 'call':
      return `${/^[\w-]+\.\w+/.exec(label)?.[0] ?? label}${often}${failed ? ' fails' : ''}`;
    case 'answer':
      return `answers ${label}`;
  }
}

function lookOf({ kind, failed }: CollisionStep): Box['look'] {
  if (failed) return 'failed';
  if (kind === 'commit' || kind === 'rollback' || kind === 'answer') return 'end';
  return kind;
}

interface Event {
  at_us: number;
  place: number;
  /** Of the step's beginning; else its end. */
  begins: boolean;
}

/** Beginnings of steps and ends of waits, in the order of time. */
function eventsOf(shown: readonly Shown[]): Event[] {
  const events = shown.flatMap(({ step }, place): Event[] => [
    { at_us: step.from_us, place, begins: true },
    ...(step.kind === 'wait' && step.to_us !== null ? [{ at_us: step.to_us, place, begins: false }] : []),
  ]);
  return events.sort((a, b) => a.at_us - b.at_us || Number(a.begins) - Number(b.begins) || a.place - b.place);
}

function lay(collision: Collision, shown: readonly Shown[], width: number, across: boolean): CollisionDrawing {
  const lanes = collision.requests.length;
  const between = across ? BETWEEN : DOWN.between;
  const order = across ? ORDER : DOWN.order;
  const extents = shown.map(({ words }) => (across ? length(words) + 18 : DOWN.height));
  const from = shown.map(() => 0);
  const to = shown.map(() => 0);
  const free = Array.from({ length: lanes }, () => 0);
  const scale: [number, number][] = [];
  let latest = -order;
  for (const { at_us, place, begins } of eventsOf(shown)) {
    const lane = shown[place]!.step.request;
    if (begins) {
      from[place] = Math.max(latest + order, free[lane]!);
      to[place] = from[place]! + extents[place]!;
      latest = from[place]!;
    } else {
      // Who waited goes on when the other let go: no earlier than that was drawn.
      to[place] = Math.max(to[place]!, latest + order);
      latest = to[place]! - between;
    }
    free[lane] = to[place]! + between;
    if (at_us > (scale.at(-1)?.[0] ?? -1)) scale.push([at_us, begins ? from[place]! : to[place]!]);
  }
  const extent = Math.max(0, ...to);
  if (!across) return laidDown(collision, shown, from, to, scale, width);
  const room = width - LABEL - 2;
  // What is left of the room goes between the steps.
  const wider = extent > 0 && extent < room ? spread(shown, from, to, room) : 1;
  const x = (value: number) => LABEL + value * wider;
  const boxes = shown.map(({ step, words }, place): Box => ({
    x: x(from[place]!),
    y: LANES[step.request] ?? 0,
    width: step.kind === 'wait' && step.to_us !== null ? x(to[place]!) - x(from[place]!) : extents[place]!,
    height: HEIGHT,
    words,
    look: lookOf(step),
    lane: step.request,
    from_us: step.from_us,
    to_us: step.to_us ?? step.from_us,
  }));
  const end = Math.max(width - 2, LABEL + extent);
  return {
    width: LABEL + extent + 2,
    height: LANES[lanes - 1]! + HEIGHT + 6,
    lanes: labels(collision.requests).map((label, lane) => ({ label, x: 0, y: LANES[lane]! + HEIGHT / 2, toX: end, toY: LANES[lane]! + HEIGHT / 2 })),
    boxes,
    links: linksOf(shown, boxes, true),
    scale: scale.map(([at_us, place]) => [at_us, x(place)]),
    across: true,
  };
}

/** By how much places can grow for the last box still to fit. */
function spread(shown: readonly Shown[], from: readonly number[], to: readonly number[], room: number): number {
  const factors = shown.map((_, place) => (from[place]! > 0 ? (room - (to[place]! - from[place]!)) / from[place]! : Infinity));
  return Math.max(1, Math.min(1.8, ...factors));
}

function laidDown(collision: Collision, shown: readonly Shown[], from: readonly number[], to: readonly number[], scale: [number, number][], width: number): CollisionDrawing {
  const lanes = collision.requests.length;
  const column = (width - COLUMN_GAP * (lanes - 1)) / lanes;
  const left = (lane: number) => lane * (column + COLUMN_GAP);
  const foot = Math.max(0, ...to) + DOWN.top;
  const boxes = shown.map(({ step, words }, place): Box => ({
    x: left(step.request),
    y: DOWN.top + from[place]!,
    width: column,
    height: to[place]! - from[place]!,
    words,
    look: lookOf(step),
    lane: step.request,
    from_us: step.from_us,
    to_us: step.to_us ?? step.from_us,
  }));
  return {
    width,
    height: foot + 4,
    lanes: labels(collision.requests).map((label, lane) => ({ label, x: left(lane), y: 14, toX: left(lane), toY: foot })),
    boxes,
    links: linksOf(shown, boxes, false),
    scale: scale.map(([at_us, place]) => [at_us, place + DOWN.top]),
    across: false,
  };
}

/** One client that asks twice is the same client. */
function labels(requests: readonly CollisionRequest[]): string[] {
  return requests.map(({ label }, lane) => (requests.slice(0, lane).some((before) => before.label === label) ? `${label}, again` : label));
}

function linksOf(shown: readonly Shown[], boxes: readonly Box[], across: boolean): Link[] {
  return shown.flatMap(({ step }, place): Link[] => {
    if (step.kind !== 'wait' || step.to_us === null || step.table === null) return [];
    const let_go = shown.findLastIndex(({ step: other }) => other.request !== step.request && (other.kind === 'commit' || other.kind === 'rollback') && other.from_us <= step.to_us!);
    const freed = boxes[let_go];
    const waited = boxes[place]!;
    if (!freed || freed.from_us < step.from_us) return [];
    return across
      ? [{ fromX: freed.x + freed.width - 10, fromY: freed.y < waited.y ? freed.y + freed.height : freed.y, toX: waited.x + waited.width, toY: freed.y < waited.y ? waited.y : waited.y + waited.height, at_us: step.to_us }]
      : [{ fromX: freed.x < waited.x ? freed.x + freed.width : freed.x, fromY: freed.y + freed.height / 2, toX: freed.x < waited.x ? waited.x : waited.x + waited.width, toY: waited.y + waited.height, at_us: step.to_us }];
  });
}

/** Where a moment lies in the drawing. */
export function placeOf({ scale }: CollisionDrawing, at_us: number): number {
  const after = scale.findIndex(([at]) => at > at_us);
  if (after === 0) return scale[0]![1];
  if (after < 0) return scale.at(-1)?.[1] ?? 0;
  const [from_us, from] = scale[after - 1]!;
  const [to_us, to] = scale[after]!;
  return from + ((to - from) * (at_us - from_us)) / (to_us - from_us);
}

/** When it begins and ends. */
export function extentOf({ steps }: Collision): [from_us: number, to_us: number] {
  return [steps[0]?.from_us ?? 0, Math.max(0, ...steps.map(({ from_us, to_us }) => to_us ?? from_us))];
}

/** The point of it in a sentence, from what happened; where that says nothing, the rule that was broken. */
export function collisionInWords(collision: Collision, rules: Pick<ScenarioDocument, 'invariants' | 'metrics'>): string {
  const { requests, steps, of } = collision;
  const rule = rules.invariants.find(({ id }) => id === of)?.sentence ?? rules.metrics.find(({ id }) => id === of)?.label ?? collision.sentence;
  const told = asSentence(opened(rule));
  if (requests.length < 2) return told;
  const own = (request: number) => steps.filter((step) => step.request === request);
  const [first, second] = [own(0), own(1)];
  const waitsOn = (mine: CollisionStep[], theirs: CollisionStep[]) => mine.some((step) => step.kind === 'wait' && theirs.some((other) => rowOf(other) === rowOf(step) && rowOf(step) !== null && other.kind !== 'wait' && other.from_us <= step.from_us));
  if (waitsOn(first, second) && waitsOn(second, first)) return 'Each waits for a row that the other has locked.';
  const read = first.find((step) => step.kind === 'read' && step.cells[0] && second.some((other) => other.kind === 'read' && sameCell(step, other)));
  const wrote = (mine: CollisionStep[], on: string | null) => mine.find((step) => step.kind === 'write' && !step.failed && (on === null || rowOf(step) === on));
  if (read) {
    const what = cellInWords(read.cells[0]!);
    const row = rowOf(read);
    const [one, other] = [wrote(first, row), wrote(second, row)];
    const called = (mine: CollisionStep[]) => mine.filter(({ kind }) => kind === 'call').map(({ label }) => /^[\w-]+\.\w+/.exec(label)?.[0] ?? '');
    const call = called(first).find((name) => name && called(second).includes(name));
    if (call) return `Both read ${what}, and both called ${call}.`;
    if (one && other && one.cells[0]?.column === read.cells[0]!.column) {
      if (one.cells[0].value === other.cells[0]?.value) return `Both read ${what} and both wrote ${cellInWords(other.cells[0]!)}: two changes, and one of them is lost.`;
      return `Both read ${what}. The second wrote over what the first had written.`;
    }
    if (wrote(first, null) && wrote(second, null) && (one === undefined) !== (other === undefined)) return `Both read ${what} before either had written. Each was right when it looked.`;
  }
  const missed = (mine: CollisionStep[]) => mine.some(({ kind, table, failed }) => kind === 'read' && table === null && !failed);
  if (missed(first) && missed(second) && wrote(first, null) && wrote(second, null)) return 'Both looked and found nothing. Then both inserted.';
  return told;
}

function sameCell(one: CollisionStep, other: CollisionStep): boolean {
  const [mine, theirs] = [one.cells[0], other.cells[0]];
  return rowOf(one) === rowOf(other) && mine !== undefined && theirs !== undefined && mine.column === theirs.column && mine.value === theirs.value;
}

/** Lines of a file that read or wrote what the requests met on; where they met on nothing, all that they did. */
export function guiltyLines(collision: Collision, file: string): number[] {
  const shared = sharedRows(collision);
  const here = collision.steps.filter((step) => step.file === file && step.line !== null);
  const meets = (step: CollisionStep) => (step.kind === 'read' || step.kind === 'write') && (step.failed || (rowOf(step) === null ? step.kind === 'read' : shared.has(rowOf(step)!)));
  const found = here.filter(meets);
  const calls = here.filter(({ kind }) => kind === 'call' || kind === 'write' || kind === 'read');
  return [...new Set((found.length > 0 ? found : calls).map(({ line }) => line!))].sort((a, b) => a - b);
}
