// Small runs for the tests: frames with the totals that matter, and what goes around them.

import type { Frame, Recording, RunRequest, ScenarioDocument, Stretch, Verdict } from '../src/core/types';

/** Two numbers, of which the second has to be zero, and two rules. */
export const document: ScenarioDocument = {
  summary: { id: 'shop', title: 'Shop', hook: '', variants: ['Naive', 'Lock'], environments: ['Mine', 'Production'], theme: 'races', symptom: '', difficulty: 1, tags: [], seen_on: null },
  prompt: '',
  shows: '',
  elsewhere: '',
  variants: ['naive', 'lock'].map((id) => ({ id, label: id, file: `${id}.py`, source: `# ${id}`, price: '', tradeoff: '', migration: null, workers: [] })),
  environments: ['mine', 'production'].map((id) => ({ id, label: id, summary: '', knobs: { clients: 1 }, faults: [], length_s: 30 })),
  knobs: [{ id: 'clients', label: 'Clients', unit: '', min: 1, max: 100, step: 1, live: true }],
  faults: [{ id: 'slow', label: 'Slow' }],
  metrics: [
    { id: 'sold', label: 'sold', unit: 'count', kind: 'counter', headline: true, better: 'higher' },
    { id: 'oversold', label: 'oversold', unit: 'count', kind: 'counter', headline: true, better: 'zero' },
  ],
  invariants: [
    { id: 'stock', sentence: 'more was sold than was there', rule: { kind: 'sql', sql: '' }, settle_ms: 0, from_s: 0 },
    { id: 'paid', sentence: 'an order was not paid', rule: { kind: 'sql', sql: '' }, settle_ms: 500, from_s: 0 },
  ],
  damage: { of: 'oversold', sentence: '{n} units sold that do not exist', one: '1 unit sold that does not exist' },
  schema: 'CREATE TABLE stock ();',
  story: '',
  frameworks: '',
  beats: [],
  scenes: [],
  question: { text: '', answers: [] },
  hints: [],
  reading: [],
  curve: null,
  exams: [],
  simulation: {
    clients: { kind: 'closed', count: 1, think_ms: 0 },
    requests: [],
    rows: [],
    machine: { processes: 1, pool: 1, pool_timeout_ms: 1, database_cores: 1, network_ms: 1, network_sd_ms: 0, memory_mb: null, replica_lag_ms: null },
    services: [],
    faults: [],
    gauges: [],
  },
};

export const request: RunRequest = { scenario: 'shop', variant: 'naive', environment: 'production', seed: 1, knobs: {}, sources: {}, changes: [] };

interface Totals {
  ok?: number;
  failed?: number;
  sold?: number;
  oversold?: number;
  stock?: number;
  paid?: number;
}

/** What one variant did, judged as the engine does. */
export function stretch(totals: Totals = {}, variant = 'naive', from_us = 0): Stretch {
  const { ok = 0, failed = 0, sold = 0, oversold = 0, stock = 0, paid = 0 } = totals;
  const verdict: Verdict = stock + paid + oversold > 0 ? 'broken' : ok + failed === 0 ? 'open' : ok === 0 ? 'nothing-useful' : 'holds';
  return { from_us, settles_us: from_us === 0 ? 0 : from_us + 7_000_000, variant, edited: false, answered: ok + failed, failed, useful: ok, broken: [stock, paid], metrics: [sold, oversold], verdict };
}

/** A run of naive code, or one in which these variants ran one after the other. */
export function frame(now_us: number, totals: Totals = {}, stretches: Stretch[] = [stretch(totals)]): Frame {
  const { ok = 0, failed = 0, sold = 0, oversold = 0, stock = 0, paid = 0 } = totals;
  return {
    now_us,
    ended: false,
    requests: { started: ok + failed, ok, failed, in_flight: 0 },
    metrics: [sold, oversold].map((total) => ({ total, recent: null })),
    invariants: [stock, paid].map((broken_ever) => ({ broken: 0, broken_ever })),
    samples: [],
    lit: [],
    marks: [],
    notices: [],
    stretches,
    failure: null,
  };
}

export function recording(frames: Frame[]): Recording {
  const timeline = { lanes: [], spans: [], arrows: [], spans_left_out: 0 };
  return { request, schedule: '', trace_hash: '', frames, report: { from_us: 0, to_us: 0, timeline, cases: [], queries: [], log: [] }, collision: null, recovery: null };
}
