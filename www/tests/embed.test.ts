import { describe, expect, test } from 'vitest';
import { readAddress, wanted, writeAddress } from '../src/embed/address';
import { isLight } from '../src/embed/brightness';
import { fromFrame, isFrom, target, toFrame } from '../src/embed/messages';
import { afterFix_us, deployAt, speedOfBreak, speedOfFix } from '../src/embed/pacing';
import { frameSnippet, isChanged, snippet } from '../src/embed/snippet';
import { recordedTrack, Track, verdict } from '../src/embed/track';
import { damageOf, saidInWords, shortly } from '../src/draw/damage';
import type { TimedChange } from '../src/core/types';
import { document, frame, recording, request, stretch } from './runs';

const SECOND = 1_000_000;

describe('an address', () => {
  test('is read as it was written', () => {
    const address = { scenario: 'shop', variant: 'lock', run: 'v1.a_b-C', theme: 'dark', host: 'https://blog.example' } as const;
    expect(readAddress(`#${writeAddress(address)}`)).toEqual(address);
  });

  test('takes the scenario of its page where it names none, and no theme that is none', () => {
    expect(readAddress('#theme=%3Cscript%3E', 'shop')).toEqual({ scenario: 'shop', variant: '', run: '', theme: '', host: '' });
  });
});

describe('what is wanted', () => {
  test('is naive code in production and its first fix', () => {
    expect(wanted({ variant: '' }, null, document)).toEqual({ request, at_us: 0, fix: 'lock', notice: '' });
  });

  test('of a variant that is not there is told, and the first fix taken', () => {
    const { fix, notice } = wanted({ variant: 'rowlock' }, null, document);
    expect(fix).toBe('lock');
    expect(notice).toBe('“Shop” has no variant “rowlock”. It has: lock.');
  });

  test('of edited naive code is mended as well', () => {
    const shared = { request: { ...request, sources: { 'naive.py': 'pass' } }, at_us: 5 };
    expect(wanted({ variant: '' }, shared, document)).toEqual({ request: shared.request, at_us: 5, fix: 'lock', notice: '' });
  });

  test('of a run in which somebody has deployed already is that run', () => {
    const changes: TimedChange[] = [{ at_us: SECOND, change: { kind: 'variant', variant: 'lock' } }];
    expect(wanted({ variant: '' }, { request: { ...request, changes }, at_us: 0 }, document).fix).toBeNull();
  });

  test('of a run leaves out and names what the scenario does not have', () => {
    const sent = { ...request, environment: 'moon', knobs: { clients: 9_999, warp: 1 }, sources: { 'other.py': '' }, changes: [{ at_us: 0, change: { kind: 'fault' as const, fault: 'flood', on: true } }] };
    const { request: fitted, notice } = wanted({ variant: '' }, { request: sent, at_us: 0 }, document);
    expect(fitted).toEqual({ ...request, knobs: { clients: 100 } });
    for (const name of ['moon', 'warp', 'other.py', 'flood']) expect(notice).toContain(`“${name}”`);
  });
});

describe('messages', () => {
  test('of others are not taken in', () => {
    for (const data of [null, 'size', { twoam: 'size' }, { twoam: 'size', height: 'high' }, { twoam: 'size', height: -1 }, { height: 5 }]) expect(fromFrame(data)).toBeNull();
    for (const data of [undefined, { twoam: 'theme', theme: 'pink' }, { twoam: 'else' }]) expect(toFrame(data)).toBeNull();
  });

  test('cannot make a frame taller than any embed', () => {
    expect(fromFrame({ twoam: 'size', height: 1e9 })).toEqual({ twoam: 'size', height: 4_000 });
  });

  test('count only from the window and the origin they are expected of', () => {
    const frame = {} as Window;
    const event = (source: Window | null, origin: string) => ({ source, origin }) as unknown as MessageEvent;
    expect(isFrom(event(frame, 'https://a.example'), frame, 'https://a.example')).toBe(true);
    expect(isFrom(event(frame, 'https://b.example'), frame, 'https://a.example')).toBe(false);
    expect(isFrom(event({} as Window, 'https://a.example'), frame, 'https://a.example')).toBe(false);
    expect(isFrom(event(null, 'https://a.example'), null, 'https://a.example')).toBe(false);
  });

  test('go to one origin, or from a file to a window that has none', () => {
    expect(target('https://a.example')).toBe('https://a.example');
    expect(target('null')).toBe('*');
  });
});

test.each(['rgb(221, 221, 221)', 'rgba(255, 255, 255, 0.87)', 'oklch(0.92 0.01 250)', 'lab(90 0 0)', 'color(display-p3 0.9 0.9 0.9)'])('%s is light', (colour) => {
  expect(isLight(colour)).toBe(true);
});

test.each(['rgb(34, 34, 34)', 'rgb(0, 0, 238)', 'oklab(0.3 0 0)', 'lch(30 20 90)', 'color(srgb 0.1 0.1 0.2)', ''])('“%s” is not', (colour) => {
  expect(isLight(colour)).toBe(false);
});

describe('a track', () => {
  const naive = { ok: 40, oversold: 5, stock: 2 };
  /** The fix has run since the fourth second. */
  const mended = (at_us: number, own: Parameters<typeof stretch>[0]) => frame(at_us, {}, [stretch(naive), stretch(own, 'lock', 4 * SECOND)]);
  function track(): Track {
    const track = new Track(document);
    track.append(frame(1 * SECOND, { ok: 10 }));
    track.append(frame(2 * SECOND, { ok: 20 }));
    track.append(frame(3 * SECOND, { ok: 30, oversold: 5, stock: 2 }));
    track.append(frame(4 * SECOND, naive));
    track.append(mended(4 * SECOND, {}));
    track.append(mended(6 * SECOND, { ok: 10 }));
    track.append(mended(12 * SECOND, { ok: 50 }));
    return track;
  }

  test('knows where it broke, and when what was left behind had ended', () => {
    expect(track().broke_us).toBe(3 * SECOND);
    expect(track().settledAfter(4 * SECOND)).toBe(12 * SECOND);
    expect(track().settledAfter(5 * SECOND)).toBeNull();
  });

  test('shows each moment as it was then', () => {
    expect([0, 1, 3, 4, 6, 12].map((second) => verdict(track().at(second * SECOND)))).toEqual(['open', 'holds', 'breaks', 'open', 'settling', 'holds']);
    expect(track().until(3 * SECOND)).toHaveLength(3);
  });

  test('takes nothing twice when the run is made again', () => {
    const again = track();
    again.append(frame(2 * SECOND, { ok: 20 }));
    again.append(mended(4 * SECOND, {}));
    expect(again.until(Infinity)).toHaveLength(7);
  });

  test('in which every request fails does not hold, nor does one of which nothing is measured', () => {
    expect(verdict(recordedTrack(document, recording([frame(SECOND, { failed: 5 })])).at(SECOND))).toBe('useless');
    const unread = { ...stretch({ ok: 5 }), verdict: 'not-measured' as const };
    expect(verdict(recordedTrack(document, recording([frame(SECOND, {}, [unread])])).at(SECOND))).toBe('unmeasured');
  });
});

describe('the large number', () => {
  test('stands in the scenario’s own sentence', () => {
    const damage = damageOf(document)!;
    expect([0, 1, 1_234].map((value) => saidInWords(damage, value))).toEqual(['0 units sold that do not exist', '1 unit sold that does not exist', '1,234 units sold that do not exist']);
  });

  test('of a draft that says nothing is what has to be zero, else its first rule', () => {
    const draft = { ...document, damage: null };
    expect(damageOf(draft)).toMatchObject({ of: 'metric', index: 1, label: 'Oversold', unit: 'count' });
    expect(damageOf({ ...draft, metrics: [] })).toMatchObject({ of: 'rule', index: 0 });
    expect(damageOf({ ...draft, metrics: [], invariants: [] })).toBeNull();
  });

  test('of money has no cents where there is little room', () => {
    const damage = { ...damageOf(document)!, unit: 'cents' as const };
    expect([950, 123_456].map((value) => shortly(damage, value))).toEqual(['$9.50', '$1,235']);
  });
});

describe('the pace', () => {
  test('shows a late break as soon as an early one, and never slows time', () => {
    expect(speedOfBreak([frame(11 * SECOND, { stock: 1 })])).toBe(5);
    expect(speedOfBreak([frame(SECOND / 4, { stock: 1 })])).toBe(1);
    expect(speedOfBreak([])).toBe(2);
  });

  test('leaves a fix the time it needs, also where naive code breaks near the end', () => {
    const at_us = deployAt(28 * SECOND, 12, 40 * SECOND);
    expect(at_us).toBeGreaterThan(28 * SECOND);
    expect(at_us).toBeLessThan(33 * SECOND);
  });

  test('goes through a rule that takes long to settle faster', () => {
    expect(speedOfFix({ invariants: [] })).toBe(2);
    expect(speedOfFix({ invariants: [{ ...document.invariants[0]!, settle_ms: 15_000 }] })).toBeGreaterThan(5);
    expect(afterFix_us({ invariants: [] })).toBe(12 * SECOND);
  });
});

describe('the snippet', () => {
  const site = 'https://twoam.example/play/';

  test('is a tag with a picture and a link for feeds, and a classic script', () => {
    const html = snippet({ site, document: { ...document, summary: { ...document.summary, hook: 'Sold & "gone"' } }, variant: 'lock', run: '' });
    expect(html).toBe(`<backend-playground scenario="shop">
  <a href="https://twoam.example/play/shop.html"><img src="https://twoam.example/play/pictures/shop.svg" alt="Shop. Sold &amp; &quot;gone&quot;" width="720" height="400" loading="lazy"></a>
</backend-playground>
<script async src="https://twoam.example/play/embed.js"></script>`);
  });

  test('holds an edited run, and leads to it', () => {
    const html = snippet({ site, document, variant: 'naive', run: 'v1.abc' });
    expect(html).toContain('<backend-playground scenario="shop" run="v1.abc">');
    expect(html).toContain('<a href="https://twoam.example/play/#v1.abc">');
    expect(frameSnippet({ site, document, variant: 'naive', run: 'v1.abc' })).toContain('src="https://twoam.example/play/shop.embed.html#run=v1.abc"');
  });

  test('names a fix that is not the first', () => {
    const third = { ...document, variants: [...document.variants, { ...document.variants[1]!, id: 'queue' }] };
    expect(snippet({ site, document: third, variant: 'queue', run: '' })).toContain('variant="queue"');
    expect(frameSnippet({ site, document: third, variant: 'lock', run: '' })).toContain('src="https://twoam.example/play/shop.embed.html"');
  });

  test('holds a run only where it is not the scenario itself', () => {
    expect(isChanged(request)).toBe(false);
    expect(isChanged({ ...request, changes: [{ at_us: 0, change: { kind: 'variant', variant: 'lock' } }] })).toBe(false);
    for (const other of [{ seed: 2 }, { knobs: { clients: 2 } }, { sources: { 'naive.py': '' } }, { changes: [{ at_us: 0, change: { kind: 'fault' as const, fault: 'slow', on: true } }] }]) {
      expect(isChanged({ ...request, ...other })).toBe(true);
    }
  });
});
