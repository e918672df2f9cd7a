// Source text as classified pieces, for the code shown before the editor has arrived and for short quotations.
// It knows strings, comments, numbers and words of Python and SQL, and nothing of their grammar.

export type Language = 'python' | 'sql';
export type Role = 'keyword' | 'string' | 'comment' | 'number' | 'name' | 'plain';

export interface Piece {
  role: Role;
  text: string;
}

const PYTHON_KEYWORDS = new Set(
  'False None True and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield'.split(' '),
);
const SQL_KEYWORDS = new Set(
  'add all alter and as asc begin between bigint bigserial boolean by cascade check commit conflict constraint create default delete desc distinct do drop else end exists false for foreign from group having if in index inner insert int integer into is join key left like limit lock not nothing null nowait numeric offset on or order primary references returning rollback select serial set skip smallint table text then timestamptz timestamp true union unique update using values varchar when where with'.split(' '),
);

const PYTHON = /("""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|[rbfu]*"(?:\\.|[^"\\\n])*"?|[rbfu]*'(?:\\.|[^'\\\n])*'?)|(#[^\n]*)|(\b\d[\d_]*(?:\.\d+)?\b)|([A-Za-z_]\w*)|([^\w"'#]+|.)/g;
const SQL = /('(?:''|[^'])*'?)|(--[^\n]*)|(\b\d+(?:\.\d+)?\b)|([A-Za-z_]\w*)|([^\w'-]+|.)/g;

/** A list of pieces for each line; their texts joined are the source. */
export function lines(source: string, language: Language): Piece[][] {
  const result: Piece[][] = [[]];
  for (const { role, text } of pieces(source, language)) {
    text.split('\n').forEach((part, index) => {
      if (index > 0) result.push([]);
      if (part) result.at(-1)!.push({ role, text: part });
    });
  }
  return result;
}

function pieces(source: string, language: Language): Piece[] {
  const result: Piece[] = [];
  let definition = false;
  for (const match of source.matchAll(language === 'python' ? PYTHON : SQL)) {
    const [text, string, comment, number, word] = match;
    let role: Role = 'plain';
    if (string !== undefined) role = 'string';
    else if (comment !== undefined) role = 'comment';
    else if (number !== undefined) role = 'number';
    else if (word !== undefined) {
      const keyword = language === 'python' ? PYTHON_KEYWORDS.has(word) : SQL_KEYWORDS.has(word.toLowerCase());
      role = keyword ? 'keyword' : definition ? 'name' : 'plain';
      definition = keyword && (word === 'def' || word === 'class');
    }
    const last = result.at(-1);
    if (last && last.role === role) last.text += text;
    else result.push({ role, text });
  }
  return result;
}

export function languageOf(file: string): Language {
  return file.endsWith('.sql') ? 'sql' : 'python';
}
