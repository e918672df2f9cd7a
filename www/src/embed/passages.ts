// Which lines of code an embed shows: of the code that breaks what its run speaks of, of the fix what it changed.

import { languageOf, type Language } from '../draw/code';
import { asSentence } from '../draw/format';
import { changedExcerpt, guiltyExcerpt, migrationExcerpt, summaryOf, type Excerpt } from '../draw/excerpt';
import type { Recording, RunRequest, VariantDocument } from '../core/types';

export interface Passage {
  file: string;
  /** What the file says of itself. */
  says: string;
  /** What a fix costs. */
  price: string;
  excerpt: Excerpt;
  source: string;
  language: Language;
  look: 'guilty' | 'changed';
}

type Sources = Pick<RunRequest, 'sources'>;

export function isEdited({ sources }: Sources, { file, source }: VariantDocument): boolean {
  return sourceIn({ sources }, { file, source }) !== source;
}

/** `recording`: a run of the code as it was written. */
export function firstPassage(request: Sources, variant: VariantDocument, recording: Recording | undefined): Passage {
  const { file } = variant;
  const source = sourceIn(request, variant);
  const said = { file, source, language: languageOf(file), price: '' };
  if (isEdited(request, variant)) return { ...said, says: 'edited', excerpt: changedExcerpt(variant.source, source), look: 'changed' };
  const evidence = { cases: recording?.report.cases ?? [], queries: recording?.report.queries ?? [], stood: recording?.frames.flatMap(({ lit }) => lit) ?? [] };
  return { ...said, says: summaryOf(source), excerpt: guiltyExcerpt(file, source, evidence), look: 'guilty' };
}

/** Some fixes are not in the code but in the schema. */
export function fixPassage(request: Sources, first: VariantDocument, fix: VariantDocument): Passage {
  const source = sourceIn(request, fix);
  const excerpt = changedExcerpt(sourceIn(request, first), source);
  const said = { says: summaryOf(source), price: `Price: ${asSentence(fix.price)}`, look: 'changed' as const };
  if (excerpt.length > 0 || !fix.migration) return { ...said, file: fix.file, source, excerpt, language: languageOf(fix.file) };
  const statements = migrationExcerpt(fix.migration);
  return { ...said, file: 'migration.sql', source: statements.flat().map(({ text }) => text).join('\n'), excerpt: statements, language: 'sql' };
}

function sourceIn({ sources }: Sources, { file, source }: Pick<VariantDocument, 'file' | 'source'>): string {
  return sources[file] ?? source;
}
