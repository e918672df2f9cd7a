// What passes between the page and the engine's thread.

import type { Answered, Change, Collision, ConsoleReply, ConsoleSession, Frame, LockWait, Report, RunRequest, ScenarioDocument, TableNow } from './types';

/** What the thread can be asked, and what each ask is made of. */
interface Asks {
  load: {};
  run: { run: number; document: ScenarioDocument; request: RunRequest; catch_up_us: number };
  play: { speed: number; until_us: number };
  pause: {};
  advance: { until_us: number };
  step: {};
  apply: { change: Change };
  report: { from_us: number; to_us: number };
  /** Everything up to a moment, without the timeline: that can be very large. */
  digest: { to_us: number };
  /** The tables at a moment. */
  tables: { at_us: number };
  /** Who waits for whom at a moment. */
  locks: { at_us: number };
  /** The first two requests that got into each other's way, up to a moment. */
  collision: { to_us: number };
  /** What clients were answered up to a moment. */
  answers: { to_us: number };
  schedule: {};
  'trace-json': {};
  /** The checksum of all that happened so far. */
  'trace-hash': {};
  'console-open': { setup: string; sessions: number; epoch_ms: number };
  'console-execute': { session: number; sql: string; now_us: number };
  'console-cancel': { session: number; now_us: number };
  'console-tick': { now_us: number };
}

/** What each ask is answered with. */
export interface Replies {
  load: null;
  /** How many bytes of memory the engine takes now. */
  run: number;
  play: null;
  pause: null;
  advance: null;
  step: null;
  /** When it was taken in. */
  apply: number;
  report: Report;
  digest: Digest;
  tables: TableNow[];
  locks: LockWait[];
  collision: Collision | null;
  answers: Answered[];
  schedule: string;
  'trace-json': string;
  'trace-hash': string;
  'console-open': ConsoleReplies;
  'console-execute': ConsoleReplies;
  'console-cancel': ConsoleReplies;
  'console-tick': ConsoleReplies;
}

export type AskKind = keyof Asks;
export type AskOf<K extends AskKind> = { kind: K } & Asks[K];
export type Ask = { [K in AskKind]: AskOf<K> }[AskKind];
export type ConsoleAsk = Extract<Ask, { kind: `console-${string}` }>;
export type Reply = Replies[AskKind];

export type Message =
  | { id: number; ask: Ask }
  /** One frame was taken in; the thread may send the next. */
  | 'seen';

export type Answer =
  | { id: number; value: Reply }
  /** `fatal`: the instance is gone and the thread has to be started anew. Id 0: nobody asked, it happened while playing. */
  | { id: number; error: string; fatal: boolean; file: string | null; line: number | null }
  | { frame: Frame; run: number; playing: boolean }
  /** How much of the engine has come, of 1. */
  | { loaded: number };

/** What went wrong, was asked and was logged. */
export type Digest = Pick<Report, 'cases' | 'queries' | 'log'>;

/** What the console asks are answered with. */
export interface ConsoleReplies {
  replies: ConsoleReply[];
  sessions: ConsoleSession[];
}
