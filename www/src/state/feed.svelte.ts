// The detail of the run that the open view draws: asked of the engine for the moment looked at, one thing at a time,
// and of what waits only the last.

import type { Digest } from '../core/protocol';
import type { LockWait, Recording, Report, TableNow } from '../core/types';
import { steadied } from '../draw/lanes';
import type { RunSession } from './run.svelte';

/** A report may take this share of the engine's time while a run is going. */
const REPORT_SHARE = 0.15;
/** How much around the cursor is asked for when nobody says. */
const BEFORE_US = 400_000;
const AFTER_US = 20_000;

interface Window {
  from_us: number;
  to_us: number;
}

export class ReportFeed {
  /** A stretch around the cursor, for the timeline. */
  report = $state.raw<Report | null>(null);
  /** The run up to the cursor, for the lists. */
  digest = $state.raw<Digest | null>(null);
  /** The tables at the cursor, while their view is open. */
  tables = $state.raw<TableNow[] | null>(null);
  /** Who waits for a lock at the cursor, while that view is open. */
  locks = $state.raw<LockWait[] | null>(null);
  /** What the open view is drawn from. */
  looks: 'stretch' | 'run' | 'tables' | 'locks' = 'stretch';
  /** Something of it is on its way. */
  asking = $state(false);

  #run: RunSession;
  #wanted: Window | null = null;
  #took_ms = 0;
  #reportedAt = 0;

  constructor(run: RunSession) {
    this.#run = run;
  }

  /** Another run: what was known of the last is shown no longer, unless it stays in view. */
  clear(keepView: boolean) {
    if (keepView) return;
    this.report = null;
    this.digest = null;
    this.tables = null;
    this.locks = null;
  }

  recorded({ report }: Recording) {
    this.report = report;
    this.digest = report;
  }

  /** The open view changed, or time went on. */
  refresh() {
    const { cursor_us } = this.#run;
    void this.#want({ from_us: cursor_us - BEFORE_US, to_us: cursor_us + AFTER_US });
  }

  lookAt(from_us: number, to_us: number) {
    if (this.#run.playing && performance.now() - this.#reportedAt < this.#took_ms / REPORT_SHARE) return;
    void this.#want({ from_us, to_us });
  }

  async #want({ from_us, to_us }: Window) {
    if (!this.#run.live || this.#run.beginning) return;
    this.#wanted = { from_us: Math.max(0, Math.round(from_us)), to_us: Math.round(to_us) };
    if (this.asking) return;
    this.asking = true;
    try {
      for (let wanted = this.#next(); wanted; wanted = this.#next()) await this.#fetch(wanted);
    } finally {
      this.asking = false;
    }
  }

  #next(): Window | null {
    const wanted = this.#wanted;
    this.#wanted = null;
    return wanted;
  }

  async #fetch(wanted: Window) {
    const run = this.#run;
    const cursor_us = Math.round(run.cursor_us);
    if (this.looks === 'tables') {
      this.tables = (await run.look({ kind: 'tables', at_us: cursor_us })) ?? this.tables;
    } else if (this.looks === 'locks') {
      this.locks = (await run.look({ kind: 'locks', at_us: cursor_us })) ?? this.locks;
    } else if (this.looks === 'run') {
      this.digest = (await run.look({ kind: 'digest', to_us: cursor_us })) ?? this.digest;
    } else {
      const asked = performance.now();
      const report = await run.look({ kind: 'report', ...wanted });
      this.#reportedAt = performance.now();
      this.#took_ms = this.#reportedAt - asked;
      if (report) this.report = { ...report, timeline: steadied(report.timeline, this.report?.timeline.lanes ?? []) };
    }
  }
}
