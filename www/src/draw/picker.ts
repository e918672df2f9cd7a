// Which scenarios fit what a reader is looking for, and in which order they stand.

import type { ScenarioSummary } from '../core/types';

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
export function groups(summaries: readonly ScenarioSummary[]): { name: string; members: ScenarioSummary[] }[] {
  const byTheme = new Map<string, ScenarioSummary[]>();
  for (const summary of summaries) {
    const name = SUBJECTS[summary.theme] ?? summary.theme;
    byTheme.set(name, [...(byTheme.get(name) ?? []), summary]);
  }
  return [...byTheme].map(([name, members]) => ({ name, members }));
}

const INITIALS: { [tag in string]: string } = { apis: 'APIs', orm: 'ORM', sql: 'SQL' };

export function written(tag: string): string {
  return INITIALS[tag] ?? tag;
}

/** What more than one scenario trains, most frequent first. */
export function skills(summaries: readonly ScenarioSummary[]): string[] {
  const counts = new Map<string, number>();
  for (const tag of summaries.flatMap(({ tags }) => tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > 1)
    .sort(([a, m], [b, n]) => n - m || a.localeCompare(b))
    .map(([tag]) => tag);
}
