// Which columns a table has, read from the SQL that makes it. It knows as much of SQL as CREATE TABLE and ADD COLUMN need:
// what the tables hold comes from the engine, this only gives the values their names.

export type Columns = Map<string, string[]>;

const CONSTRAINT = /^(constraint|primary|unique|check|foreign|exclude|like)\b/i;
const CREATE = /\bcreate\s+(?:temp(?:orary)?\s+)?table\s+(?:if\s+not\s+exists\s+)?("[^"]+"|[\w.]+)\s*\(/gi;
const ADD = /\balter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?("[^"]+"|[\w.]+)\s+([^;]*)/gi;
const ADDED = /\badd\s+(?:column\s+)?(?:if\s+not\s+exists\s+)?("[^"]+"|\w+)/gi;

export function tableColumns(sql: string): Columns {
  const text = withoutComments(sql);
  const found: Columns = new Map();
  for (const match of text.matchAll(CREATE)) {
    const body = enclosed(text, match.index + match[0].length);
    found.set(
      named(match[1]!),
      parts(body)
        .filter((part) => !CONSTRAINT.test(part))
        .map((part) => named(/^("[^"]+"|\w+)/.exec(part)?.[1] ?? ''))
        .filter(Boolean),
    );
  }
  for (const [, table, actions] of text.matchAll(ADD)) {
    const known = found.get(named(table!));
    for (const part of parts(actions!)) {
      for (const [, column] of part.matchAll(ADDED)) {
        if (known && !CONSTRAINT.test(column!)) known.push(named(column!));
      }
    }
  }
  return found;
}

function withoutComments(sql: string): string {
  return sql.replace(/--[^\n]*/g, '').replace(/\/\*[\s\S]*?\*\//g, '');
}

/** From behind an opening bracket to the one that closes it. */
function enclosed(text: string, from: number): string {
  let depth = 1;
  let at = from;
  while (at < text.length && depth > 0) {
    const letter = text[at++];
    if (letter === '(') depth += 1;
    else if (letter === ')') depth -= 1;
  }
  return text.slice(from, at - (depth === 0 ? 1 : 0));
}

/** Split at commas outside of brackets. */
function parts(body: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let part = '';
  for (const letter of body) {
    if (letter === ',' && depth === 0) {
      found.push(part.trim());
      part = '';
      continue;
    }
    if (letter === '(') depth += 1;
    else if (letter === ')') depth -= 1;
    part += letter;
  }
  if (part.trim()) found.push(part.trim());
  return found;
}

function named(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1) : identifier.toLowerCase();
}
