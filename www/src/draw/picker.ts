// Which scenarios fit what a reader is looking for, and in which order they stand.

import type { ScenarioSummary } from '../core/types';
import { grouping } from './grouping';

const SUBJECTS: { [theme in string]: string } = {
  races: 'Races and transactions',
  performance: 'Performance at scale',
  distributed: 'Distributed systems',
  security: 'Security',
  business: 'Business logic and contracts',
};

export const FEELINGS = [
  { symptom: 'numbers are wrong', says: 'Numbers are wrong' },
  { symptom: 'money is missing', says: 'Money is missing' },
  { symptom: 'it was slow', says: 'It was slow' },
  { symptom: 'it hung', says: 'It hung' },
  { symptom: 'someone got in', says: 'Someone got in' },
] as const;

/** By difficulty, from 1. */
export const DIFFICULTIES = [
  { difficulty: 1, says: 'First steps' },
  { difficulty: 2, says: 'Takes thought' },
  { difficulty: 3, says: 'Hard' },
] as const;

/** `null`: all. */
export interface Filter {
  symptom: string | null;
  difficulty: number | null;
  tag: string | null;
}

export function chosen(summaries: readonly ScenarioSummary[], { symptom, difficulty, tag }: Filter): ScenarioSummary[] {
  return summaries.filter(
    (summary) =>
      (symptom === null || summary.symptom === symptom) &&
      (difficulty === null || summary.difficulty === difficulty) &&
      (tag === null || summary.tags.includes(tag)),
  );
}

/** By theme, in the order in which themes and members come. */
export function groups(summaries: readonly ScenarioSummary[]): [name: string, members: ScenarioSummary[]][] {
  return grouping(summaries, ({ theme }) => SUBJECTS[theme] ?? theme);
}

const INITIALS: { [tag in string]: string } = { apis: 'APIs', orm: 'ORM', sql: 'SQL' };

export function written(tag: string): string {
  return INITIALS[tag] ?? tag;
}

/** What more than one scenario trains, most frequent first. */
export function skills(summaries: readonly ScenarioSummary[]): string[] {
  return grouping(summaries.flatMap(({ tags }) => tags), (tag) => tag)
    .filter(([, uses]) => uses.length > 1)
    .sort(([a, uses], [b, others]) => others.length - uses.length || a.localeCompare(b))
    .map(([tag]) => tag);
}
