// The one number of a scenario: what must not happen, counted, and the sentence it stands in. The headline, the corners,
// the chart and the still picture all tell it, in the same unit.

import type { ScenarioDocument, Stretch, Unit } from '../core/types';
import { inWords, opened, write } from './format';

export interface Damage {
  /** Of the scenario's metrics, or of its invariants: then its cases are counted. */
  of: 'metric' | 'rule';
  index: number;
  unit: Unit;
  /** What is counted, without the number. */
  label: string;
  /** `{n} units sold that do not exist`. */
  many: string;
  one: string | null;
}

/** A sentence around its number. */
export interface Said {
  before: string;
  number: string;
  after: string;
}

type Rules = Pick<ScenarioDocument, 'metrics' | 'invariants' | 'damage'>;

const NUMBER = '{n}';
const known = new WeakMap<Rules, Damage | null>();

export function damageOf(rules: Rules): Damage | null {
  const found = known.get(rules);
  if (found !== undefined) return found;
  const damage = find(rules);
  known.set(rules, damage);
  return damage;
}

function find({ metrics, invariants, damage }: Rules): Damage | null {
  if (!damage) return ofDraft({ metrics, invariants });
  const { of, sentence: many, one } = damage;
  const metric = metrics.findIndex(({ id }) => id === of);
  if (metric >= 0) return { of: 'metric', index: metric, unit: metrics[metric]!.unit, label: opened(metrics[metric]!.label), many, one };
  return { of: 'rule', index: invariants.findIndex(({ id }) => id === of), unit: 'count', label: opened(many.replace(NUMBER, '').trim()), many, one };
}

/** A draft need not say: what has to be zero and is shown large, else its first rule. */
function ofDraft({ metrics, invariants }: Pick<Rules, 'metrics' | 'invariants'>): Damage | null {
  const metric = metrics.findIndex(({ headline, better, unit, kind }) => headline && better === 'zero' && (unit === 'count' || unit === 'cents') && kind !== 'distribution');
  if (metric >= 0) return { of: 'metric', index: metric, unit: metrics[metric]!.unit, label: opened(metrics[metric]!.label), many: `${NUMBER} ${metrics[metric]!.label}`, one: null };
  const rule = invariants[0];
  return rule ? { of: 'rule', index: 0, unit: 'count', label: opened(rule.sentence), many: `${NUMBER} cases: ${rule.sentence}`, one: `1 case: ${rule.sentence}` } : null;
}

/** What a stretch adds to it. */
export function amount({ of, index }: Damage, stretch: Stretch | undefined): number {
  return (of === 'metric' ? stretch?.metrics[index] : stretch?.broken[index]) ?? 0;
}

/** `449`, `$12.50`. */
export function numberIn({ unit }: Damage, value: number): string {
  return inWords(value, unit);
}

export function said(damage: Damage, value: number): Said {
  const sentence = value === 1 && damage.one !== null ? damage.one : damage.many.replace(NUMBER, numberIn(damage, value));
  const number = value === 1 && damage.one !== null ? '1' : numberIn(damage, value);
  const at = sentence.indexOf(number);
  return { before: sentence.slice(0, at), number, after: sentence.slice(at + number.length) };
}

/** `449 units sold that do not exist`. */
export function saidInWords(damage: Damage, value: number): string {
  const { before, number, after } = said(damage, value);
  return before + number + after;
}

/** The number with little room: of money, whole dollars are enough. */
export function shortly({ unit }: Damage, value: number): string {
  if (unit !== 'cents' || value < 10_000) return inWords(value, unit);
  return `$${write(value / 100, 'count').value.replace(/\.\d+$/, '')}`;
}
