// What a half-written word of SQL may become: the tables and columns there are, then SQL's own words.

const KEYWORDS = (
  'ALTER AND BEGIN BETWEEN BY COMMIT COUNT CREATE DELETE DISTINCT EXISTS EXPLAIN FOR FROM GROUP HAVING INDEX INSERT INTO ISOLATION JOIN KEY LEVEL LIMIT LOCK LOCKED ' +
  'NOWAIT NULL ON ORDER PRIMARY READ COMMITTED REPEATABLE RETURNING ROLLBACK SAVEPOINT SELECT SERIALIZABLE SET SHARE SKIP TABLE TRANSACTION UNIQUE UPDATE USING VALUES WHERE'
).split(' ');
const SHOWN = 6;

export interface Completion {
  /** Where the half-written word begins. */
  from: number;
  options: string[];
}

export function complete(text: string, caret: number, names: Iterable<string>): Completion {
  const word = /[A-Za-z_]\w*$/.exec(text.slice(0, caret))?.[0] ?? '';
  const from = caret - word.length;
  // Inside of a string nothing is completed, and neither is the middle of a word.
  const quoted = text.slice(0, caret).split("'").length % 2 === 0;
  if (word.length < 2 || quoted || /^\w/.test(text.slice(caret))) return { from: caret, options: [] };
  const lower = word.toLowerCase();
  const fits = (option: string) => option.length > word.length && option.toLowerCase().startsWith(lower);
  const own = [...new Set(names)].filter(fits).sort();
  const keywords = KEYWORDS.filter(fits).map((keyword) => (word === lower ? keyword.toLowerCase() : keyword));
  return { from, options: [...own, ...keywords].slice(0, SHOWN) };
}
