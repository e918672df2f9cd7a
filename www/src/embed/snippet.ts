// What an author pastes into an article.

import { isNaive } from '../core/scenario';
import type { RunRequest, ScenarioDocument } from '../core/types';
import { escape, LAYOUTS } from '../draw/picture';
import { writeAddress } from './address';

export interface Embedded {
  /** Where the playground is, with a slash at its end. */
  site: string;
  document: Pick<ScenarioDocument, 'summary' | 'variants'>;
  /** The fix that is deployed. */
  variant: string;
  /** A run as a link has it, without the #; empty: the scenario as it is. */
  run: string;
}

/** For articles that may hold a script. Where none runs, in a feed for one, the picture and the link remain. */
export function snippet({ site, document, variant, run }: Embedded): string {
  const { id, title, hook } = document.summary;
  const { width, height } = LAYOUTS.wide;
  const said = Object.entries({ scenario: id, variant: unusual(document, variant), run }).filter(([, value]) => value !== '');
  const attributes = said.map(([name, value]) => `${name}="${escape(value)}"`).join(' ');
  const link = run ? `${site}#${run}` : `${site}${id}.html`;
  return `<backend-playground ${attributes}>
  <a href="${escape(link)}"><img src="${escape(`${site}pictures/${id}.svg`)}" alt="${escape(`${title}. ${hook}`)}" width="${width}" height="${height}" loading="lazy"></a>
</backend-playground>
<script async src="${escape(`${site}embed.js`)}"></script>`;
}

/** For articles that may hold a frame and no script: its height does not follow what is in it. */
export function frameSnippet({ site, document, variant, run }: Embedded): string {
  const { id, title } = document.summary;
  const said = writeAddress({ variant: unusual(document, variant), run });
  const address = `${site}${id}.embed.html${said ? `#${said}` : ''}`;
  return `<iframe src="${escape(address)}" title="${escape(`2 AM: ${title}`)}" width="100%" height="640" style="border:0" loading="lazy"></iframe>`;
}

/** Whether a run is more than the scenario with one of its variants deployed. */
export function isChanged({ knobs, sources, seed, changes }: RunRequest): boolean {
  return seed !== 1 || Object.keys(knobs).length > 0 || Object.keys(sources).length > 0 || changes.some(({ change }) => change.kind !== 'variant');
}

/** The first fix need not be named. */
function unusual({ variants }: Pick<ScenarioDocument, 'variants'>, variant: string): string {
  return isNaive(variant) || variants.find(({ id }) => !isNaive(id))?.id === variant ? '' : variant;
}
