// The few lines of a handler that matter: the statements that a run's cases name and its clients stood at, or those
// that a fix changed.

import type { Case, LitLine, QueryGroup } from '../core/types';

export interface ExcerptLine {
  /** From 1. */
  number: number;
  text: string;
  marked: boolean;
}

/** Neighbouring lines, in order; between two groups something is left out. */
export type Excerpt = ExcerptLine[][];

export interface Evidence {
  cases: readonly Pick<Case, 'sentence'>[];
  queries: readonly Pick<QueryGroup, 'file' | 'line' | 'database_us'>[];
  /** Where clients stood, over the run. */
  stood: readonly LitLine[];
}

/** Where a run went wrong, that is: what a fix changed is shown as far as there is room. */
const GUILTY_MOST = 3;
const GUILTY_LINES_MOST = 8;
const CHANGED_LINES_MOST = 6;
/** Of one statement. */
const STATEMENT_LINES_MOST = 5;

/** What a run speaks of: first what its cases name, then what its clients waited in, then its slowest queries. */
export function guiltyExcerpt(file: string, source: string, { cases, queries, stood }: Evidence): Excerpt {
  const statements = statementsOf(source);
  const named = cases.flatMap(({ sentence }) => [...sentence.matchAll(/([\w.]+\.py):(\d+)/g)].filter(([, name]) => name === file).map(([, , line]): Weight => [Number(line), 1]));
  const busy = stood.filter((place) => place.file === file).map(({ line, clients }): Weight => [line, clients]);
  const slow = queries.filter((query) => query.file === file).map(({ line, database_us }): Weight => [line, database_us]);
  const at = (lines: readonly number[]) => lines.flatMap((line) => statements.filter((statement) => statement.from === line));
  const waits = ({ lines }: Statement) => /\bawait\b/.test(lines[0]!);
  const chosen = new Set([...at(heaviest(named)), ...at(heaviest(busy)).filter(waits), ...at(heaviest(slow)).filter(waits)]);
  return excerptOf([...chosen].slice(0, GUILTY_MOST), () => true, GUILTY_LINES_MOST);
}

/** What is in a text and not in the one before, beginning with statements that wait for something: there requests meet. */
export function changedExcerpt(before: string, after: string): Excerpt {
  const old = before.split('\n');
  const now = after.split('\n');
  const common = longestCommon(old, now);
  const changed = (number: number) => !common.has(number - 1);
  const statements = statementsOf(after).filter(({ from, lines }) => lines.some((_, index) => changed(from + index)));
  const waits = statements.filter(({ lines }) => lines.some((line) => /\bawait\b/.test(line)));
  return excerptOf(waits.length > 0 ? waits : statements, changed, CHANGED_LINES_MOST);
}

/** The statements of a migration. */
export function migrationExcerpt(sql: string): Excerpt {
  const lines = sql.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('--'));
  return [lines.slice(0, CHANGED_LINES_MOST).map((text, index) => ({ number: index + 1, text, marked: true }))];
}

/** What a file says of itself in its first line, without the name before the colon. */
export function summaryOf(source: string): string {
  const said = /^\s*"""\s*([^\n"]+)/.exec(source)?.[1]?.trim() ?? '';
  return said.replace(/^[^:]{1,40}: (.)/, (_, first: string) => first.toUpperCase());
}

interface Statement {
  /** The number of its first line. */
  from: number;
  lines: string[];
}

type Weight = [line: number, weight: number];

function excerptOf(statements: readonly Statement[], marked: (number: number) => boolean, most: number): Excerpt {
  const chosen = new Map<number, string>();
  for (const { from, lines } of statements) {
    // Of a long statement, what is marked and the line before it.
    const first = lines.findIndex((_, index) => marked(from + index));
    const start = Math.max(0, Math.min(first - 1, lines.length - STATEMENT_LINES_MOST));
    const shown = lines.slice(start, start + STATEMENT_LINES_MOST);
    if (chosen.size > 0 && chosen.size + shown.length > most) break;
    shown.forEach((text, index) => {
      if (!/^\s*#/.test(text)) chosen.set(from + start + index, text);
    });
  }
  const lines = [...chosen].sort(([a], [b]) => a - b);
  const indent = Math.min(...lines.map(([, text]) => text.length - text.trimStart().length));
  const groups: Excerpt = [];
  for (const [number, text] of lines) {
    const last = groups.at(-1)?.at(-1);
    const line = { number, text: text.slice(indent), marked: marked(number) };
    if (last?.number === number - 1) groups.at(-1)!.push(line);
    else groups.push([line]);
  }
  return groups;
}

/** Lines that belong together by their brackets. Comments, imports and texts that document are none. */
function statementsOf(source: string): Statement[] {
  const statements: Statement[] = [];
  let documenting = false;
  let open = 0;
  source.split('\n').forEach((text, index) => {
    const quotes = text.match(/"""/g)?.length ?? 0;
    if (documenting || quotes > 0) {
      if (quotes % 2 === 1) documenting = !documenting;
      return;
    }
    const bare = text.replaceAll(/"[^"]*"|'[^']*'/g, '').replace(/#.*/, '');
    if (open > 0) statements.at(-1)!.lines.push(text);
    else if (bare.trim() !== '' && !/^(from|import) /.test(bare)) statements.push({ from: index + 1, lines: [text] });
    open = Math.max(0, open + (bare.match(/[([{]/g)?.length ?? 0) - (bare.match(/[)\]}]/g)?.length ?? 0));
  });
  return statements;
}

/** Lines by the sum of their weights; the earlier one where they weigh the same. */
function heaviest(weights: readonly Weight[]): number[] {
  const sums = new Map<number, number>();
  for (const [line, weight] of weights) sums.set(line, (sums.get(line) ?? 0) + weight);
  return [...sums].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([line]) => line);
}

/** Which lines of the second text are in a longest common subsequence with the first. */
function longestCommon(first: readonly string[], second: readonly string[]): Set<number> {
  const lengths = Array.from({ length: first.length + 1 }, () => new Uint16Array(second.length + 1));
  for (let i = first.length - 1; i >= 0; i--) {
    for (let j = second.length - 1; j >= 0; j--) {
      lengths[i]![j] = first[i] === second[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  const common = new Set<number>();
  for (let i = 0, j = 0; i < first.length && j < second.length; ) {
    if (first[i] === second[j]) {
      common.add(j);
      i++;
      j++;
    } else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) i++;
    else j++;
  }
  return common;
}
