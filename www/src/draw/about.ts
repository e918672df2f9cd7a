// What the page that explains the product is filled with when the site is built: outcomes of recorded runs, and every scenario.

import type { Recordings } from '../core/catalogue';
import type { ScenarioDocument, ScenarioSummary } from '../core/types';
import { grouped } from './format';
import { FEELINGS } from './picker';
import { brokenEver, escape, hardenedIn } from './picture';

/** The four corners of a scenario, as a table. */
export function corners(document: ScenarioDocument, recordings: Recordings): string {
  const variants = [document.variants[0]!, hardenedIn(document, recordings)].filter((variant) => variant !== undefined);
  const heads = document.environments.map(({ label, summary }) => `<th scope="col">${escape(label)}<small>${escape(summary)}</small></th>`);
  const rows = variants.map(({ id, label }) => {
    const cells = document.environments.map((environment) => outcome(recordings, `${id}.${environment.id}`));
    return `<tr><th scope="row">${escape(label)}</th>${cells.join('')}</tr>`;
  });
  return `<table><caption>${escape(document.summary.title)}, a recorded run</caption><thead><tr><td></td>${heads.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function outcome(recordings: Recordings, corner: string): string {
  const recording = recordings[corner];
  const last = recording?.frames.at(-1);
  if (!last) return '<td></td>';
  const cases = brokenEver(recording);
  return cases > 0
    ? `<td class="broken"><b>✕ ${grouped(cases)}</b><small>broken</small></td>`
    : `<td class="holds"><b>✓ holds</b><small>${grouped(last.requests.ok + last.requests.failed)} requests</small></td>`;
}

/** All scenarios, by what a reader has felt. */
export function byFeeling(summaries: readonly ScenarioSummary[]): string {
  return FEELINGS.map(({ symptom, says }) => {
    const members = summaries.filter((summary) => summary.symptom === symptom);
    const links = members.map(({ id, title }) => `<li><a href="./${id}.html">${escape(title)}</a></li>`);
    return `<section><h3>${says}</h3><ul>${links.join('')}</ul></section>`;
  }).join('');
}
