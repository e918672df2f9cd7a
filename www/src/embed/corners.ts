// What came out where: of the code on one's own machine, in production, and of the fix.

import { isNaive } from '../core/scenario';
import type { VariantDocument } from '../core/types';
import { plural } from '../draw/format';
import type { EmbedState } from './embed.svelte';
import { isEdited } from './passages';
import type { Verdict } from './track';

export interface Corner {
  place: string;
  code: string;
  verdict: Verdict;
  /** How much stands behind it. */
  small: string;
  here: boolean;
}

export const SIGNS: { [verdict in Verdict]: string } = { open: '', holds: '✓', breaks: '✕', settling: '', unmeasured: '', useless: '✕' };
export const WORDS: { [verdict in Verdict]: string } = { open: '–', holds: 'holds', breaks: 'breaks', settling: 'none so far', unmeasured: 'not measured', useless: 'only fails' };

export function cornersOf(embed: EmbedState): Corner[] {
  const { document, first, fix, changes } = embed;
  const deployed = (variant: VariantDocument) => variant.id !== first.id && changes.some(({ change }) => change.kind === 'variant' && change.variant === variant.id);
  const others = fix ? [fix] : document.variants.filter(deployed);
  return [...beforeProduction(embed), ...[first, ...others].map((variant) => cornerOf(embed, variant))];
}

/** What was recorded on the author's machine; of edited code nothing was. */
function beforeProduction(embed: EmbedState): Corner[] {
  const { document, first, recording, wanted } = embed;
  const environment = document.environments.find(({ id }) => id !== wanted.request.environment);
  if (!environment || !recording || !isNaive(first.id)) return [];
  return [{ place: environment.label, code: first.label, verdict: embed.recordedVerdict(first.id, environment.id), small: 'recorded', here: false }];
}

function cornerOf(embed: EmbedState, variant: VariantDocument): Corner {
  const { request } = embed.wanted;
  const step = embed.steps.findLast(({ stretch }) => stretch.variant === variant.id);
  const corner = {
    place: embed.document.environments.find(({ id }) => id === request.environment)?.label ?? '',
    code: isEdited(request, variant) ? `${variant.label}, edited` : variant.label,
    here: embed.running.id === variant.id,
  };
  const verdict = embed.verdictOf(variant.id);
  // Code that is about to break holds so far; that is not yet a result.
  if (step) return { ...corner, verdict: verdict === 'holds' && corner.here && variant.id === embed.first.id && !embed.over ? 'settling' : verdict, small: plural(step.outcome.requests, 'request') };
  if (embed.engine === 'unavailable') return { ...corner, verdict: embed.recordedVerdict(variant.id, request.environment), small: 'recorded' };
  return { ...corner, verdict: 'open', small: variant.id === embed.fix?.id ? 'not deployed' : 'not run' };
}
