// The one large number of a scenario: what must not happen, counted. A metric that should be zero where the scenario has
// one, else the cases that broke a rule.

import type { Since } from '../state/judge';
import { brokenSince, metricSince, type Stretch } from '../state/judge';
import type { Frame, ScenarioDocument, Unit } from '../core/types';
import { inWords, opened } from './format';

export type Headline = { of: 'metric'; index: number; label: string; unit: Unit } | { of: 'rule'; index: number; label: string; unit: 'count' };

/** `outcome` is the end of a run in which it went wrong: of several rules it is the one that was broken most. */
export function headlineOf({ metrics, invariants }: Pick<ScenarioDocument, 'metrics' | 'invariants'>, outcome: Frame | undefined): Headline | null {
  // A share of something cannot be split at a deploy.
  const metric = metrics.findIndex(({ headline, better, unit, kind }) => headline && better === 'zero' && unit !== 'ratio' && kind !== 'distribution');
  if (metric >= 0) return { of: 'metric', index: metric, label: opened(metrics[metric]!.label), unit: metrics[metric]!.unit };
  const broken = outcome?.invariants.map(({ broken_ever }) => broken_ever) ?? [];
  const rule = Math.max(0, broken.indexOf(Math.max(...broken)));
  return invariants[rule] ? { of: 'rule', index: rule, label: invariants[rule].sentence, unit: 'count' } : null;
}

/** At a frame: since the stretch began, and before. */
export function headlineSince({ of, index }: Headline, stretch: Stretch | undefined, frame: Frame | null): Since {
  return of === 'metric' ? metricSince(stretch, frame, index) : brokenSince(stretch, frame, index);
}

/** `1,234`, `$12.50`, `19 ×`: cases of a rule are told by its sentence, so the number says how often. */
export function headlineInWords(headline: Headline, value: number): string {
  return headline.of === 'rule' ? `${inWords(value, 'count')} ×` : inWords(value, headline.unit);
}
