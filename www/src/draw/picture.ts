// A scenario's outcome as a still picture: what its recorded runs did, for an embed before it is tapped, for feeds and
// for places without scripts. An SVG that stands alone; it follows the reader's light or dark.

import { corner } from '../core/scenario';
import type { Recordings } from '../core/catalogue';
import type { Recording, ScenarioDocument } from '../core/types';
import { recordedTrack, verdict, type Step, type Verdict } from '../embed/track';
import { amount, damageOf, said, saidInWords, type Damage } from './damage';
import { grouped, plural } from './format';

interface Layout {
  width: number;
  height: number;
  margin: number;
  title: { y: number; size: number; letters: number };
  /** Of a title of one line. */
  hook: { y: number; size: number; letters: number; lines: number };
  /** Its label stands below it. `y` null: below the hook. */
  total: { y: number | null; size: number; letters: number };
  /** `top` null: below the total's label. */
  curve: { x: number; top: number | null; foot: number };
  cells: { top: number; height: number; letters: number; padding: number };
  button: { y: number };
  /** What is said beside the button. */
  source: { letters: number };
}

export const LAYOUTS = {
  wide: {
    width: 720,
    height: 400,
    margin: 28,
    title: { y: 49, size: 20, letters: 50 },
    hook: { y: 78, size: 15, letters: 84, lines: 2 },
    total: { y: 176, size: 46, letters: 34 },
    curve: { x: 308, top: 130, foot: 210 },
    cells: { top: 232, height: 86, letters: 28, padding: 14 },
    button: { y: 336 },
    source: { letters: 70 },
  },
  // For the width of a phone, where the other one's letters would be too small to read.
  narrow: {
    width: 360,
    height: 500,
    margin: 16,
    title: { y: 39, size: 18, letters: 27 },
    hook: { y: 64, size: 14, letters: 44, lines: 4 },
    total: { y: null, size: 38, letters: 44 },
    curve: { x: 16, top: null, foot: 316 },
    cells: { top: 336, height: 98, letters: 14, padding: 9 },
    button: { y: 444 },
    source: { letters: 30 },
  },
} satisfies { [name in string]: Layout };

const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact' });
const LINE = 1.3;
const BUTTON = { width: 112, height: 40 };

export function picture(document: ScenarioDocument, recordings: Recordings, layout: Layout = LAYOUTS.wide): string {
  const { width, height, margin, title, hook } = layout;
  const naive = document.variants[0]!.id;
  const production = document.environments.at(-1)!.id;
  const broken = recordings[corner(naive, production)];
  const damage = damageOf(document);
  const titleLines = wrapped(document.summary.title, title.letters, 2);
  const hookLines = wrapped(document.summary.hook, hook.letters, hook.lines);
  const hookY = hook.y + (titleLines.length - 1) * 22;
  const hookFoot = hookY + (hookLines.length - 1) * LINE * hook.size;
  const steps = broken ? recordedTrack(document, broken).until(Infinity) : [];
  const total = damage ? amount(damage, steps.at(-1)?.stretch) : 0;
  const sentence = damage ? said(damage, total) : { before: '', number: '', after: '' };
  const labelLines = damage ? wrapped((sentence.before + sentence.after).trim(), layout.total.letters, 2) : [];
  const totalY = layout.total.y ?? hookFoot + 20 + layout.total.size;
  const labelFoot = totalY + 6 + labelLines.length * 17;
  const curveTop = layout.curve.top ?? labelFoot + 14;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(described(document, damage, total, broken))}">
<style>
svg{--ground:#fbf9f4;--line:#e5e0d4;--ink:#1b1b1f;--soft:#5d594f;--on-ink:#fbf9f4;--lamp:#1b1b1f;--holds:#11704d;--broken:#bc2718;font-family:'Instrument Sans',system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--ground:#0a0e16;--line:#1d2532;--ink:#dfe5ee;--soft:#96a2b5;--on-ink:#14120c;--lamp:#f7e4bb;--holds:#57c798;--broken:#ff6f61}}
.ink{fill:var(--ink)}.lamp{fill:var(--lamp)}.soft{fill:var(--soft)}.holds{fill:var(--holds)}.broken{fill:var(--broken)}.on{fill:var(--on-ink)}.line{stroke:var(--line);fill:none}.red{stroke:var(--broken);fill:none;stroke-width:2;stroke-linejoin:round}
</style>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="6" fill="var(--ground)" stroke="var(--line)"/>
${titleLines.map((line, index) => text(margin, title.y + index * 22, line, 'ink', title.size, 600)).join('')}
${text(width - margin, title.y, '2 AM', 'lamp', 15, 700, 'end')}
${block(margin, hookY, hookLines, 'soft', hook.size)}
${damage ? text(margin, totalY, sentence.number, total ? 'broken' : 'holds', layout.total.size, 600) : ''}
${block(margin, totalY + 23, labelLines, 'ink', 14, 17)}
${damage ? curve(damage, steps, layout, curveTop) : ''}
${cells(document, recordings, layout)}
${button(layout)}
${source(broken, layout)}
</svg>
`;
}

/** The variant beside the naive one that was recorded. */
export function hardenedIn(document: ScenarioDocument, recordings: Recordings) {
  return document.variants.slice(1).find(({ id }) => recordings[`${id}.production`]);
}

function described(document: ScenarioDocument, damage: Damage | null, total: number, recording: Recording | undefined): string {
  const counted = damage && recording ? ` In a recorded run in production: ${saidInWords(damage, total)}.` : '';
  return `${document.summary.title}: ${document.summary.hook}${counted}`;
}

/** Naive code on one's own machine and in production, and the fix. */
function cells(document: ScenarioDocument, recordings: Recordings, layout: Layout): string {
  const naive = document.variants[0]!;
  const hardened = hardenedIn(document, recordings);
  const production = document.environments.at(-1)!;
  const shown = [...document.environments.map((environment) => ({ environment, variant: naive })), ...(hardened ? [{ environment: production, variant: hardened }] : [])];
  const { margin, width } = layout;
  const { top, height } = layout.cells;
  const each = (width - 2 * margin) / shown.length;
  const contents = shown.map(({ environment, variant }, index) => {
    const recording = recordings[corner(variant.id, environment.id)];
    const step = recording && recordedTrack(document, recording).at(Infinity);
    return cell(margin + index * each, environment.label, variant.label, step, verdict(step), layout);
  });
  const walls = shown.slice(1).map((_, index) => `M${round(margin + (index + 1) * each)} ${top}v${height}`);
  return `<rect class="line" x="${margin}" y="${top}" width="${width - 2 * margin}" height="${height}" rx="4"/><path class="line" d="${walls.join('')}"/>
${contents.join('\n')}`;
}

function cell(left: number, place: string, code: string, step: Step | undefined, result: Verdict, { cells: { top, height, letters, padding } }: Layout): string {
  const x = left + padding;
  const foot = top + height;
  const requests = step ? short(step.outcome.requests) : 'not recorded';
  const [words, look] = { holds: ['✓ holds', 'holds'], breaks: ['✕ breaks', 'broken'], useless: ['✕ only fails', 'broken'], open: ['–', 'soft'], settling: ['–', 'soft'], unmeasured: ['not measured', 'soft'] }[result] as [string, string];
  return `${text(x, top + 20, place, 'soft', 12, 600)}${block(x, top + 36, wrapped(code, letters, 2), 'soft', 12, 14)}${text(x, foot - 27, words, look, 16, 600)}${text(x, foot - 10, requests, 'soft', 12)}`;
}

/** A part of the table has room for so many letters on a phone. */
function short(requests: number): string {
  return requests < 10_000 ? plural(requests, 'request') : `${COMPACT.format(requests)} requests`;
}

function curve(damage: Damage, steps: readonly Step[], { width, margin, curve: { x, foot } }: Layout, top: number): string {
  const values = steps.map(({ stretch }) => amount(damage, stretch));
  if (values.length < 2) return '';
  const most = Math.max(1, ...values);
  const right = width - margin;
  const path = values.map((value, index) => `${index === 0 ? 'M' : 'L'}${round(x + ((right - x) * index) / (values.length - 1))} ${round(foot - ((foot - top) * value) / most)}`);
  const seconds = `${grouped(steps.at(-1)!.frame.now_us / 1_000_000)} s`;
  return `<path class="line" d="M${x} ${foot}H${right}"/><path class="red" d="${path.join('')}"/>${text(right, foot + 15, seconds, 'soft', 12, 400, 'end')}`;
}

/** It looks as if it could be pressed, since it can: the picture is what is tapped. */
function button({ margin, button: { y } }: Layout): string {
  return `<rect x="${margin}" y="${y}" width="${BUTTON.width}" height="${BUTTON.height}" rx="4" class="lamp"/><path class="on" d="M${margin + 20} ${y + 13}v14l12-7z"/>${text(margin + 42, y + 25.5, 'Run it', 'on', 15, 600)}`;
}

function source(recording: Recording | undefined, { margin, width, button: { y }, source: { letters } }: Layout): string {
  const last = recording?.frames.at(-1);
  if (!recording || !last) return '';
  const says = `Recorded runs of ${grouped(last.now_us / 1_000_000)} s, seed ${recording.request.seed}.`;
  const lines = wrapped(says, letters, 2);
  return lines.map((line, index) => text(width - margin, y + BUTTON.height / 2 + 4.5 + (index - (lines.length - 1) / 2) * 16, line, 'soft', 12.5, 400, 'end')).join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function text(x: number, y: number, content: string, look: string, size: number, weight = 400, anchor = 'start'): string {
  return `<text x="${round(x)}" y="${round(y)}" class="${look}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}">${escape(content)}</text>`;
}

function block(x: number, y: number, lines: readonly string[], look: string, size: number, leading = LINE * size): string {
  return lines.map((line, index) => text(x, y + index * leading, line, look, size)).join('');
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
