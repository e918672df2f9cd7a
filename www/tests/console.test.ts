import { describe, expect, test } from 'vitest';
import { decodeConsole, encodeConsole, type ConsoleState } from '../src/console/link';
import { complete } from '../src/draw/complete';

describe('a console as a link', () => {
  const state: ConsoleState = {
    walkthrough: 'lost-update',
    count: 3,
    typed: [
      { session: 0, sql: 'BEGIN;' },
      { session: 2, sql: "UPDATE accounts SET owner = '<b>Zoë</b>';" },
      { session: 2, sql: null },
    ],
  };

  test('comes back as it was sent', async () => {
    expect(await decodeConsole(`#${await encodeConsole(state)}`)).toEqual(state);
  });

  test('without a state it is the console as it begins', async () => {
    expect(await decodeConsole('#console')).toBeNull();
  });

  test('of the first version stays readable', async () => {
    expect(await decodeConsole('#console.v1.q1YqV7JSUtJRylOyMtJRylSyio421FEKdvVxdQ5RMLRWio2tBQA')).toEqual({ walkthrough: '', count: 2, typed: [{ session: 1, sql: 'SELECT 1;' }] });
  });

  test.each([
    ['another version', '#console.v9.abc', 'another version'],
    ['cut off', '#console.v1.q1ayUsp', 'damaged'],
    ['a session there is not', '#console.v1.q1YqV7JSUtJRylOyMtJRylSyio421VEKdvVxdQ5RMLRWio2tBQA', 'damaged'],
  ])('%s is told in a sentence', async (_, hash, words) => {
    await expect(decodeConsole(hash)).rejects.toThrow(words);
  });
});

describe('completing a word of SQL', () => {
  const names = ['accounts', 'id', 'owner', 'balance'];

  test('tables and columns come before SQL’s own words', () => {
    expect(complete('SELECT ba', 9, names)).toEqual({ from: 7, options: ['balance'] });
    expect(complete('begin; sel', 10, names)).toEqual({ from: 7, options: ['select'] });
    expect(complete('ACC', 3, names).options).toEqual(['accounts']);
  });

  test.each([
    ['one letter', 'SELECT b', 8],
    ['inside of a string', "SELECT 'ba", 10],
    ['in the middle of a word', 'SELECT balan', 9],
    ['a word that is whole', 'SELECT balance', 14],
  ])('nothing for %s', (_, text, caret) => {
    expect(complete(text, caret, names).options).toEqual([]);
  });
});
