// The state of a console as a link: what was typed where, in order. Whoever opens it has the same statements run again.

import { damaged, list, pack, record, unpack } from '../core/share';

/** `sql` is null where a waiting statement was cancelled. */
export interface Typed {
  session: number;
  sql: string | null;
}

export interface ConsoleState {
  walkthrough: string;
  count: number;
  typed: Typed[];
}

const CODEC = 'console.v1.';
const LONGEST_SQL = 20_000;

export async function encodeConsole({ walkthrough, count, typed }: ConsoleState): Promise<string> {
  return CODEC + (await pack({ w: walkthrough, n: count, i: typed.map(({ session, sql }) => [session, sql]) }));
}

/** Null for the console without a state; throws an error with a sentence for the reader. */
export async function decodeConsole(hash: string): Promise<ConsoleState | null> {
  const text = hash.replace(/^#/, '');
  if (text === 'console') return null;
  if (!text.startsWith(CODEC)) throw new Error('This link was made by another version of the page, or is incomplete.');
  const fields = record(await unpack(text.slice(CODEC.length)));
  if (typeof fields.w !== 'string' || ![2, 3, 4].includes(fields.n as number)) throw damaged();
  const count = fields.n as number;
  return { walkthrough: fields.w, count, typed: list(fields.i).map((entry) => typed(entry, count)) };
}

function typed(entry: unknown, count: number): Typed {
  const [session, sql] = list(entry);
  if (!Number.isInteger(session) || (session as number) < 0 || (session as number) >= count) throw damaged();
  if (sql !== null && (typeof sql !== 'string' || sql.length > LONGEST_SQL)) throw damaged();
  return { session: session as number, sql };
}
