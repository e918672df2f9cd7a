import { describe, expect, test } from 'vitest';
import { KEYS } from '../src/keys';

describe('the table of keys', () => {
  test('gives each key one meaning', () => {
    const pressed = KEYS.flatMap(({ keys }) => keys);
    expect(new Set(pressed).size).toBe(pressed.length);
  });

  test('leaves the browser its own keys where no talk is given', () => {
    const browsers = KEYS.filter(({ keys }) => keys.some((key) => ['PageDown', 'PageUp', 'Home', 'End'].includes(key)));
    expect(browsers.map(({ talk }) => talk)).toEqual(browsers.map(() => true));
  });

  test('has one for each view', () => {
    const views = KEYS.flatMap(({ intent }) => (intent.startsWith('view-') ? [intent] : []));
    expect(views).toEqual(['view-timeline', 'view-locks', 'view-tables', 'view-cases', 'view-queries', 'view-log']);
  });
});
