// What the page that explains the product is filled with when the site is built: outcomes of recorded runs, and every scenario.

import type { Recordings } from '../core/catalogue';
import type { ScenarioDocument, ScenarioSummary } from '../core/types';
import { outcome as judged } from '../state/judge';
import { damageOf, said, shortly } from './damage';
import { plural } from './format';
import { FEELINGS } from './picker';
import { escape, hardenedIn } from './picture';

/** The four corners of a scenario, as a table. */
export function corners(document: ScenarioDocument, recordings: Recordings): string {
  const variants = [document.variants[0]!, hardenedIn(document, recordings)].filter((variant) => variant !== undefined);
  const heads = document.environments.map(({ label, summary }) => `<th scope="col">${escape(label)}<small>${escape(summary)}</small></th>`);
  const rows = variants.map(({ id, label }) => {
    const cells = document.environments.map((environment) => outcome(document, recordings, `${id}.${environment.id}`));
    return `<tr><th scope="row">${escape(label)}</th>${cells.join('')}</tr>`;
  });
  return `<table><caption>${escape(document.summary.title)}, a recorded run</caption><thead><tr><td></td>${heads.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function outcome(document: ScenarioDocument, recordings: Recordings, corner: string): string {
  const stretch = recordings[corner]?.frames.at(-1)?.stretches.at(-1);
  const damage = damageOf(document);
  if (!stretch || !damage) return '<td></td>';
  const { verdict, damage: total, cases, requests } = judged(stretch, document);
  if (verdict === 'holds') return `<td class="holds"><b>✓ holds</b><small>${plural(requests, 'request')}</small></td>`;
  if (verdict !== 'broken') return '<td>–</td>';
  if (total === 0) return `<td class="broken"><b>✕ broken</b><small>${plural(cases, 'case')}</small></td>`;
  const { before, after } = said(damage, total);
  return `<td class="broken"><b>✕ ${escape(shortly(damage, total))}</b><small>${escape((before + after).trim())}</small></td>`;
}

/** All scenarios, by what a reader has felt. */
export function byFeeling(summaries: readonly ScenarioSummary[]): string {
  return FEELINGS.map(({ symptom, says }) => {
    const members = summaries.filter((summary) => summary.symptom === symptom);
    const links = members.map(({ id, title }) => `<li><a href="./${id}.html">${escape(title)}</a></li>`);
    return `<section><h3>${says}</h3><ul>${links.join('')}</ul></section>`;
  }).join('');
}
