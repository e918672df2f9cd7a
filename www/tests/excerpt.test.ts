import { describe, expect, test } from 'vitest';
import { changedExcerpt, guiltyExcerpt, migrationExcerpt, summaryOf } from '../src/draw/excerpt';

const NAIVE = `"""Sale: buy while there is stock."""


async def buy(conn, request):
    cur = await conn.execute(
        "SELECT stock FROM products WHERE id = %s",
        (request["id"],),
    )
    (stock,) = await cur.fetchone()
    # Never sell more than we have.
    if stock < 1:
        return {"status": 409}
    await conn.execute("UPDATE products SET stock = %s WHERE id = %s", (stock - 1, request["id"]))
    return {"status": 201}
`;

const FIXED = `"""Sale: check and take in one statement."""


async def buy(conn, request):
    cur = await conn.execute(
        "UPDATE products SET stock = stock - 1 WHERE id = %s AND stock > 0 RETURNING stock",
        (request["id"],),
    )
    # Nobody can come in between.
    if await cur.fetchone() is None:
        return {"status": 409}
    return {"status": 201}
`;

const numbers = (excerpt: { number: number }[][]) => excerpt.map((group) => group.map(({ number }) => number));
const nothing = { cases: [], queries: [], stood: [] };

describe('what a run speaks of', () => {
  test('are the statements its cases name, whole and in their order', () => {
    const cases = [{ sentence: 'Request 2 read products 1 at sale.py:5; then request 2 wrote over that change at sale.py:13. See other.py:9.' }];
    const excerpt = guiltyExcerpt('sale.py', NAIVE, { ...nothing, cases });
    expect(numbers(excerpt)).toEqual([[5, 6, 7, 8], [13]]);
    expect(excerpt[0]![0]!.text).toBe('cur = await conn.execute(');
  });

  test('without cases, where its clients waited and what was slow, and no line that waits for nothing', () => {
    const stood = [{ file: 'sale.py', line: 4, clients: 99, lock_waits: 0, pool_waits: 0 }, { file: 'sale.py', line: 13, clients: 3, lock_waits: 3, pool_waits: 0 }];
    const queries = [{ file: 'sale.py', line: 5, database_us: 10 }];
    expect(numbers(guiltyExcerpt('sale.py', NAIVE, { ...nothing, stood, queries }))).toEqual([[5, 6, 7, 8], [13]]);
  });

  test('is nothing where it names no line of this file', () => {
    expect(guiltyExcerpt('sale.py', NAIVE, nothing)).toEqual([]);
  });
});

describe('what a fix changed', () => {
  test('are statements that wait, with the changed lines marked, and neither comments nor documentation', () => {
    const excerpt = changedExcerpt(NAIVE, FIXED);
    expect(numbers(excerpt)).toEqual([[5, 6, 7, 8], [10]]);
    expect(excerpt.flat().filter(({ marked }) => marked).map(({ number }) => number)).toEqual([6, 10]);
  });

  test('is nothing where only the documentation differs', () => {
    expect(changedExcerpt(NAIVE, NAIVE.replace('Sale: buy', 'Sale: still buy'))).toEqual([]);
  });

  test('of a long statement is shown around the change', () => {
    const long = (last: string) => `x = await f(\n${[1, 2, 3, 4, 5, 6, 7].map((n) => `    ${n},\n`).join('')}    ${last},\n)\n`;
    expect(numbers(changedExcerpt(long('8'), long('9')))).toEqual([[6, 7, 8, 9, 10]]);
  });

  test('leaves out a comment within a statement', () => {
    expect(numbers(changedExcerpt('', 'await f(\n    # Why.\n    1,\n)\n'))).toEqual([[1], [3, 4]]);
  });

  test('may be the schema alone', () => {
    expect(migrationExcerpt('-- For lookups.\nCREATE INDEX a ON b (c);\n')[0]!.map(({ text }) => text)).toEqual(['CREATE INDEX a ON b (c);']);
  });
});

test('a file says what it is in its first line', () => {
  expect(summaryOf(NAIVE)).toBe('Buy while there is stock.');
  expect(summaryOf('x = 1\n')).toBe('');
});
