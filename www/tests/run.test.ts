import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { History } from '../src/state/history';
import { begun, caughtUp, ended, isPlaying, paused, played, type Life } from '../src/state/life';
import { RunSession } from '../src/state/run.svelte';
import { Selection } from '../src/state/selection.svelte';
import type { RunTurns } from '../src/state/turns';
import { document, frame, recording, request } from './runs';

const NOTHING: Life = { of: 'nothing' };
const recorded = (phase: 'paused' | 'replaying'): Life => ({ of: 'recorded', phase });
const beginning = (then: 'running' | 'paused'): Life => ({ of: 'live', phase: 'beginning', then });
const live = (phase: 'paused' | 'running' | 'replaying' | 'ended'): Life => ({ of: 'live', phase });
const LIVES = [NOTHING, recorded('paused'), recorded('replaying'), beginning('running'), beginning('paused'), live('paused'), live('running'), live('replaying'), live('ended')];

describe('a life', () => {
  test.each<[string, (life: Life) => Life, Life[]]>([
    ['played at the latest moment', (life) => played(life, false), [NOTHING, recorded('paused'), recorded('paused'), beginning('running'), beginning('running'), live('running'), live('running'), live('running'), live('ended')]],
    ['played before it', (life) => played(life, true), [NOTHING, recorded('replaying'), recorded('replaying'), beginning('running'), beginning('running'), live('replaying'), live('replaying'), live('replaying'), live('ended')]],
    ['paused', paused, [NOTHING, recorded('paused'), recorded('paused'), beginning('paused'), beginning('paused'), live('paused'), live('paused'), live('paused'), live('ended')]],
    ['begun', begun, [NOTHING, recorded('paused'), recorded('replaying'), live('running'), live('paused'), live('paused'), live('running'), live('replaying'), live('ended')]],
    ['caught up', caughtUp, [NOTHING, recorded('paused'), recorded('paused'), beginning('running'), beginning('paused'), live('paused'), live('running'), live('running'), live('ended')]],
    ['at the end', ended, [NOTHING, recorded('paused'), recorded('replaying'), beginning('running'), beginning('paused'), live('paused'), live('ended'), live('replaying'), live('ended')]],
  ])('%s', (_, next, expected) => {
    expect(LIVES.map(next)).toEqual(expected);
  });

  test('plays while time goes on or is about to', () => {
    expect(LIVES.filter(isPlaying)).toEqual([recorded('replaying'), beginning('running'), live('running'), live('replaying')]);
  });
});

describe('a recorded run', () => {
  const SECOND = 1_000_000;
  const frames = [0, 1, 2, 3].map((second) => frame(second * SECOND, { ok: 10 * second, stock: second === 3 ? 1 : 0 }));
  const plan = { document, request, recording: recording(frames) };
  let told: string[];
  let pictures: FrameRequestCallback[];

  /** What the reader's screen shows next, so many milliseconds later. */
  function picture(passed_ms: number) {
    vi.advanceTimersByTime(passed_ms);
    for (const callback of pictures.splice(0)) callback(performance.now());
  }

  function session(): RunSession {
    const turns = new Proxy({} as RunTurns, { get: (_, turn) => () => void told.push(String(turn)) });
    return new RunSession(turns);
  }

  beforeEach(() => {
    told = [];
    pictures = [];
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    vi.stubGlobal('requestAnimationFrame', (callback: FrameRequestCallback) => pictures.push(callback));
    vi.stubGlobal('cancelAnimationFrame', () => (pictures = []));
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('plays to its end, stands there, and is over', () => {
    const run = session();
    void run.begin(plan);
    expect([run.life, run.cursor_us, run.reached_us, run.over]).toEqual([recorded('replaying'), 0, 3 * SECOND, false]);
    picture(1_500);
    expect([run.cursor_us, run.frame?.now_us, run.playing]).toEqual([1_500_000, SECOND, true]);
    picture(9_000);
    expect([run.life, run.cursor_us, run.frame?.now_us, run.over]).toEqual([recorded('paused'), 3 * SECOND, 3 * SECOND, true]);
  });

  test('says nothing of what it will show', () => {
    const run = session();
    void run.begin(plan, { play: false });
    run.seek(2 * SECOND);
    expect(run.verdicts.outcomes['naive.production']).toMatchObject({ verdict: 'holds', requests: 20 });
    run.seek(3 * SECOND);
    expect(run.verdicts.outcomes['naive.production']).toMatchObject({ verdict: 'broken', requests: 30, cases: 1 });
    expect(run.verdicts.announcement).toBe('Broken: more was sold than was there');
  });

  test('stands where it is paused', () => {
    const run = session();
    void run.begin(plan);
    picture(500);
    run.pause();
    picture(500);
    expect([run.life, run.cursor_us]).toEqual([recorded('paused'), 500_000]);
  });

  test('is sought within what was recorded, and stepped from frame to frame', () => {
    const run = session();
    void run.begin(plan, { play: false, catch_up_us: 1_500_000 });
    run.stepForward();
    expect(run.cursor_us).toBe(2 * SECOND);
    run.stepBack();
    run.stepBack();
    run.stepBack();
    expect(run.cursor_us).toBe(0);
    run.seek(99 * SECOND);
    expect([run.cursor_us, run.horizon_us]).toEqual([3 * SECOND, 3 * SECOND]);
    run.stepForward();
    expect(run.cursor_us).toBe(3 * SECOND);
  });

  test('that was not made shows nothing and plays nothing', () => {
    const run = session();
    void run.begin({ ...plan, recording: null });
    run.play();
    expect([run.life, run.frame, run.recorded, run.playing, run.over]).toEqual([NOTHING, null, false, false, true]);
  });

  test('is forgotten when another begins', () => {
    const run = session();
    void run.begin(plan, { play: false });
    run.seek(3 * SECOND);
    void run.begin({ ...plan, request: { ...request, environment: 'mine' }, recording: recording(frames.slice(0, 2)) }, { play: false });
    expect([run.cursor_us, run.reached_us, run.frame?.now_us]).toEqual([0, SECOND, 0]);
    expect(run.verdicts.brokenSince(0)).toEqual({ total: 0, before: 0 });
    expect(Object.keys(run.verdicts.outcomes)).toEqual(['naive.production', 'naive.mine']);
  });

  test('changed in the past is another run from there, whose request has the change', () => {
    const run = session();
    void run.begin({ ...plan, request: { ...request, changes: [{ at_us: 2 * SECOND, change: { kind: 'fault', fault: 'slow', on: true } }] } }, { play: false });
    run.seek(SECOND);
    run.apply({ kind: 'variant', variant: 'lock' });
    expect(run.request).toEqual({ ...request, changes: [{ at_us: SECOND, change: { kind: 'variant', variant: 'lock' } }] });
    expect(run.cursor_us).toBe(SECOND);
  });

  test('tells its turns', () => {
    const run = session();
    void run.begin(plan, { play: false });
    run.seek(SECOND);
    expect(told).toEqual(['began', 'recorded', 'rested']);
  });
});

describe('a history', () => {
  test('finds the frame of a moment and those around it', () => {
    const history = new History();
    expect(history.at(5)).toBeUndefined();
    for (const now_us of [10, 20, 30]) history.push(frame(now_us));
    expect([0, 10, 19, 20, 99].map((at_us) => history.at(at_us)?.now_us)).toEqual([10, 10, 10, 20, 30]);
    expect([history.after(20)?.now_us, history.after(30)?.now_us, history.before(20)?.now_us, history.before(10)?.now_us]).toEqual([30, undefined, 10, undefined]);
  });

  test('of a long run keeps its first, its last, and every second one between', () => {
    const history = new History();
    for (let now_us = 0; now_us <= 6_000; now_us++) history.push(frame(now_us));
    expect([history.at(0)?.now_us, history.at(3)?.now_us, history.at(5_999)?.now_us, history.last?.now_us]).toEqual([0, 2, 5_999, 6_000]);
  });
});

describe('what is chosen', () => {
  function opened(): Selection {
    const selection = new Selection();
    selection.open(document, { 'naive.py': '# mine' });
    return selection;
  }

  test('begins with naive code on one’s own machine, and with the reader’s edits', () => {
    expect(opened().request()).toEqual({ ...request, environment: 'mine', sources: { 'naive.py': '# mine' } });
  });

  test('keeps knobs and faults only within an environment', () => {
    const selection = opened();
    selection.knobs.clients = 7;
    selection.faults.slow = true;
    expect(selection.request()).toMatchObject({ knobs: { clients: 7 }, changes: [{ at_us: 0, change: { kind: 'fault', fault: 'slow', on: true } }] });
    selection.chooseEnvironment('production');
    expect(selection.request()).toMatchObject({ knobs: {}, changes: [] });
  });

  test('takes from a link what the scenario has, and names the rest', () => {
    const selection = opened();
    const sent = { ...request, variant: 'lock', environment: 'moon', seed: 9, knobs: { clients: 900, wings: 2 }, sources: { 'other.py': '' } };
    expect(selection.restore(sent)).toEqual(['environment “moon”', 'knob “wings”', 'file “other.py”']);
    expect(selection.request()).toMatchObject({ variant: 'lock', environment: 'mine', seed: 9, knobs: { clients: 100 } });
    expect(selection.hardened).toBe('lock');
  });

  test('follows what was changed while a run went', () => {
    const selection = opened();
    selection.follow([
      { at_us: 1, change: { kind: 'variant', variant: 'lock' } },
      { at_us: 2, change: { kind: 'source', file: 'lock.py', text: '# new' } },
      { at_us: 3, change: { kind: 'fault', fault: 'slow', on: true } },
    ]);
    expect([selection.variant, selection.sourceOf('lock.py'), selection.faultOn('slow')]).toEqual(['lock', '# new', true]);
  });
});
