// A scenario's outcome as a still picture: what its recorded runs did, for an embed before it is tapped, for feeds and
// for places without scripts. An SVG that stands alone; it follows the reader's light or dark.

import type { Recordings } from '../core/catalogue';
import type { Recording, ScenarioDocument } from '../core/types';
import { grouped, inWords } from './format';
import { columns } from './series';

const WIDTH = 720;
const HEIGHT = 380;

export function picture(document: ScenarioDocument, recordings: Recordings): string {
  const naive = document.variants[0]!.id;
  const hardened = hardenedIn(document, recordings);
  const environments = document.environments.map(({ id }) => id);
  const rows = [naive, ...(hardened ? [hardened.id] : [])];
  const cells = rows.flatMap((variant, row) =>
    environments.map((environment, column) => outcome(recordings[`${variant}.${environment}`], 430 + column * 140, 168 + row * 58)),
  );
  const metric = Math.max(
    0,
    document.metrics.findIndex(({ headline, better }) => headline && better === 'zero'),
  );
  const shown = document.metrics[metric];
  const broken = recordings[`${naive}.production`];
  const total = broken?.frames.at(-1)?.metrics[metric]?.total;
  const names = environments.map((id, column) => {
    const label = document.environments.find((environment) => environment.id === id)!.label;
    return text(430 + column * 140, 122, label, 'soft', 14);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escape(described(document, broken))}">
<style>
svg{--ground:#fbf9f4;--line:#e5e0d4;--ink:#1b1b1f;--soft:#5d594f;--holds:#11704d;--broken:#bc2718;font-family:'Instrument Sans',system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--ground:#0a0e16;--line:#1d2532;--ink:#f7e4bb;--soft:#96a2b5;--holds:#57c798;--broken:#ff6f61}}
.ink{fill:var(--ink)}.soft{fill:var(--soft)}.holds{fill:var(--holds)}.broken{fill:var(--broken)}.line{stroke:var(--line);fill:none}.red{stroke:var(--broken);fill:none;stroke-width:2}.quiet{stroke:var(--soft);fill:none;stroke-width:2;stroke-dasharray:5 4}
</style>
<rect width="${WIDTH}" height="${HEIGHT}" fill="var(--ground)"/>
${text(32, 46, '2 AM', 'ink', 17, 700)}
${text(84, 46, document.summary.title, 'soft', 17)}
${wrapped(document.summary.hook, 58)
  .map((line, index) => text(32, 80 + index * 24, line, 'ink', 20, 500))
  .join('\n')}
${text(32, 168, shown?.label ?? '', 'soft', 14)}
${text(32, 214, shown ? inWords(total, shown.unit) : '', total ? 'broken' : 'holds', 46, 500)}
<path class="line" d="M32 350H688M418 138V252M558 138V252M418 194H688"/>
${names.join('\n')}
${text(404, 168, document.variants[0]!.label, 'soft', 14, 400, 'end')}
${hardened ? text(404, 226, hardened.label, 'soft', 14, 400, 'end') : ''}
${cells.join('\n')}
${curve(broken, metric, 'red', peak(broken, metric))}
${hardened ? curve(recordings[`${hardened.id}.production`], metric, 'quiet', peak(broken, metric)) : ''}
${text(688, 370, 'A recorded run. Tap to run it yourself.', 'soft', 13, 400, 'end')}
</svg>
`;
}

/** The variant beside the naive one that was recorded. */
export function hardenedIn(document: ScenarioDocument, recordings: Recordings) {
  return document.variants.slice(1).find(({ id }) => recordings[`${id}.production`]);
}

function described(document: ScenarioDocument, broken: Recording | undefined): string {
  return `${document.summary.title}: ${document.summary.hook} In production ${grouped(brokenEver(broken))} cases were counted.`;
}

function outcome(recording: Recording | undefined, x: number, y: number): string {
  const last = recording?.frames.at(-1);
  if (!last) return text(x, y, 'not recorded', 'soft', 14);
  const cases = brokenEver(recording);
  return cases > 0
    ? text(x, y, `✕ ${grouped(cases)}`, 'broken', 18, 600) + text(x, y + 18, 'broken', 'soft', 12)
    : text(x, y, '✓ holds', 'holds', 18, 600) + text(x, y + 18, `${grouped(last.requests.ok + last.requests.failed)} requests`, 'soft', 12);
}

export function brokenEver(recording: Recording | undefined): number {
  return recording?.frames.at(-1)?.invariants.reduce((sum, { broken_ever }) => sum + broken_ever, 0) ?? 0;
}

function values(recording: Recording | undefined, metric: number): (number | null)[] {
  return columns(recording?.frames.flatMap(({ samples }) => samples) ?? [], metric, 1)[1];
}

function peak(recording: Recording | undefined, metric: number): number {
  return Math.max(1, ...values(recording, metric).map((value) => value ?? 0));
}

function curve(recording: Recording | undefined, metric: number, look: string, most: number): string {
  const points = values(recording, metric);
  if (points.length < 2) return '';
  const path = points.map((value, index) => `${index === 0 ? 'M' : 'L'}${round(32 + (656 * index) / (points.length - 1))} ${round(350 - (78 * Math.min(value ?? 0, most)) / most)}`);
  return `<path class="${look}" d="${path.join('')}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function text(x: number, y: number, content: string, look: string, size: number, weight = 400, anchor = 'start'): string {
  return `<text x="${x}" y="${y}" class="${look}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}">${escape(content)}</text>`;
}

function wrapped(content: string, most: number): string[] {
  const lines: string[] = [''];
  for (const word of content.split(' ')) {
    const line = lines.at(-1)!;
    if (line && line.length + word.length + 1 > most) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.slice(0, 2);
}

export function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
