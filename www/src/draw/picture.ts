// A scenario's outcome as a still picture: what its recorded runs did, for an embed before it is tapped, for feeds and
// for places without scripts. An SVG that stands alone; it follows the reader's light or dark.

import type { Recordings } from '../core/catalogue';
import type { Recording, ScenarioDocument } from '../core/types';
import { grouped, inWords } from './format';
import { columns } from './series';

interface Layout {
  width: number;
  height: number;
  margin: number;
  /** Size of its letters. */
  title: number;
  hook: { y: number; size: number; letters: number; lines: number };
  total: { y: number; size: number };
  /** Left edges of the outcomes, and where what stands over them stands. */
  columns: number[];
  heads: number;
  rows: number[];
  /** Of the rows. */
  names: { x: number; anchor: 'start' | 'end'; letters: number };
  lines: string;
  /** Foot and height of the curve. */
  curve: { y: number; height: number };
}

export const LAYOUTS = {
  wide: {
    width: 720,
    height: 380,
    margin: 32,
    title: 17,
    hook: { y: 80, size: 18, letters: 72, lines: 2 },
    total: { y: 168, size: 46 },
    columns: [430, 570],
    heads: 122,
    rows: [168, 226],
    names: { x: 404, anchor: 'end', letters: 40 },
    lines: 'M32 350H688M418 138V252M558 138V252M418 194H688',
    curve: { y: 350, height: 78 },
  },
  // For the width of a phone, where the other one's letters would be too small to read.
  narrow: {
    width: 360,
    height: 440,
    margin: 16,
    title: 14,
    hook: { y: 56, size: 15, letters: 40, lines: 4 },
    total: { y: 142, size: 34 },
    columns: [148, 258],
    heads: 208,
    rows: [238, 288],
    names: { x: 16, anchor: 'start', letters: 15 },
    lines: 'M16 402H344M138 218V314M248 218V314M138 266H344',
    curve: { y: 402, height: 66 },
  },
} satisfies { [name in string]: Layout };

export function picture(document: ScenarioDocument, recordings: Recordings, layout: Layout = LAYOUTS.wide): string {
  const { width, height, margin } = layout;
  const naive = document.variants[0]!.id;
  const hardened = hardenedIn(document, recordings);
  const environments = document.environments.map(({ id }) => id);
  const rows = [naive, ...(hardened ? [hardened.id] : [])];
  const cells = rows.flatMap((variant, row) =>
    environments.map((environment, column) => outcome(recordings[`${variant}.${environment}`], layout.columns[column]!, layout.rows[row]!)),
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
    return text(layout.columns[column]!, layout.heads, label, 'soft', 14);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(described(document, broken))}">
<style>
svg{--ground:#fbf9f4;--line:#e5e0d4;--ink:#1b1b1f;--soft:#5d594f;--holds:#11704d;--broken:#bc2718;font-family:'Instrument Sans',system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--ground:#0a0e16;--line:#1d2532;--ink:#f7e4bb;--soft:#96a2b5;--holds:#57c798;--broken:#ff6f61}}
.ink{fill:var(--ink)}.soft{fill:var(--soft)}.holds{fill:var(--holds)}.broken{fill:var(--broken)}.line{stroke:var(--line);fill:none}.red{stroke:var(--broken);fill:none;stroke-width:2}.quiet{stroke:var(--soft);fill:none;stroke-width:2;stroke-dasharray:5 4}
</style>
<rect width="${width}" height="${height}" fill="var(--ground)"/>
${text(margin, layout.hook.y - 34, '2 AM', 'ink', layout.title, 700)}
${text(margin + 3 * layout.title, layout.hook.y - 34, document.summary.title, 'soft', layout.title)}
${wrapped(document.summary.hook, layout.hook.letters, layout.hook.lines)
  .map((line, index) => text(margin, layout.hook.y + index * 1.25 * layout.hook.size, line, 'ink', layout.hook.size, 500))
  .join('\n')}
${text(margin, layout.total.y, shown?.label ?? '', 'soft', 14)}
${text(margin, layout.total.y + layout.total.size, shown ? inWords(total, shown.unit) : '', total ? 'broken' : 'holds', layout.total.size, 500)}
<path class="line" d="${layout.lines}"/>
${names.join('\n')}
${name(document.variants[0]!.label, layout, 0)}
${hardened ? name(hardened.label, layout, 1) : ''}
${cells.join('\n')}
${curve(broken, metric, 'red', peak(broken, metric), layout)}
${hardened ? curve(recordings[`${hardened.id}.production`], metric, 'quiet', peak(broken, metric), layout) : ''}
${text(width - margin, layout.curve.y + 20, 'A recorded run. Tap to run it yourself.', 'soft', 13, 400, 'end')}
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

function name(label: string, { names, rows }: Layout, row: number): string {
  return wrapped(label, names.letters, 2)
    .map((line, index) => text(names.x, rows[row]! + index * 17, line, 'soft', 14, 400, names.anchor))
    .join('');
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

function curve(recording: Recording | undefined, metric: number, look: string, most: number, { width, margin, curve: { y, height } }: Layout): string {
  const points = values(recording, metric);
  if (points.length < 2) return '';
  const path = points.map((value, index) => `${index === 0 ? 'M' : 'L'}${round(margin + ((width - 2 * margin) * index) / (points.length - 1))} ${round(y - (height * Math.min(value ?? 0, most)) / most)}`);
  return `<path class="${look}" d="${path.join('')}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function text(x: number, y: number, content: string, look: string, size: number, weight = 400, anchor = 'start'): string {
  return `<text x="${x}" y="${y}" class="${look}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}">${escape(content)}</text>`;
}

function wrapped(content: string, letters: number, most: number): string[] {
  const lines: string[] = [''];
  for (const word of content.split(' ')) {
    const line = lines.at(-1)!;
    if (line && line.length + word.length + 1 > letters) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), `${lines[most - 1]} …`];
}

export function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
