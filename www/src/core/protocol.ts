// What passes between the page and the engine's thread.

import type { Change, ConsoleReply, ConsoleSession, Frame, Report, RunRequest, ScenarioDocument } from './types';

export type Ask =
  | { kind: 'load' }
  | { kind: 'run'; run: number; document: ScenarioDocument; request: RunRequest; catch_up_us: number }
  | { kind: 'play'; speed: number; until_us: number }
  | { kind: 'pause' }
  | { kind: 'advance'; until_us: number }
  | { kind: 'step' }
  | { kind: 'apply'; change: Change }
  | { kind: 'report'; from_us: number; to_us: number }
  /** Everything up to a moment, without the timeline: that can be very large. */
  | { kind: 'digest'; to_us: number }
  /** The tables at a moment. */
  | { kind: 'tables'; at_us: number }
  /** What clients were answered up to a moment. */
  | { kind: 'answers'; to_us: number }
  | { kind: 'schedule' }
  | { kind: 'trace-json' }
  /** The checksum of all that happened so far. */
  | { kind: 'trace-hash' }
  | { kind: 'console-open'; setup: string; sessions: number; epoch_ms: number }
  | { kind: 'console-execute'; session: number; sql: string; now_us: number }
  | { kind: 'console-cancel'; session: number; now_us: number }
  | { kind: 'console-tick'; now_us: number }
  /** One frame was taken in; the thread may send the next. */
  | { kind: 'seen' };

export interface Message {
  id: number;
  ask: Ask;
}

export type Answer =
  | { id: number; value: unknown }
  /** `fatal`: the instance is gone and the thread has to be started anew. Id 0: nobody asked, it happened while playing. */
  | { id: number; error: string; fatal: boolean; file: string | null; line: number | null }
  | { frame: Frame; run: number; playing: boolean };

/** What went wrong, was asked and was logged. */
export type Digest = Pick<Report, 'cases' | 'queries' | 'log'>;

/** What the console asks are answered with. */
export interface ConsoleReplies {
  replies: ConsoleReply[];
  sessions: ConsoleSession[];
}
