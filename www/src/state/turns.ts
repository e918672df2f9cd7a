// What a run is made of, and the turns it takes that others need to know of.

import type { Absence, Loss } from '../core/client';
import type { Change, Frame, Recording, RunRequest, ScenarioDocument } from '../core/types';

export interface Plan {
  document: ScenarioDocument;
  request: RunRequest;
  /** Shown while there is no engine. */
  recording: Recording | null;
}

export interface Beginning {
  play?: boolean;
  /** Where it begins to be shown. */
  catch_up_us?: number;
  /** Where it comes to stand by itself; its end if nobody says. */
  until_us?: number;
  /** What is shown stays until the run has come to where the reader is. */
  keepView?: boolean;
}

export interface RunTurns {
  /** Another run is about to begin; it is recorded when no engine is there. */
  began(keepView: boolean): void;
  recorded(recording: Recording): void;
  /** The engine came to where the run was to begin. */
  arrived(): void;
  refused(error: unknown): void;
  /** A live run has come further. */
  frame(frame: Frame): void;
  /** Time stands still at a moment that can be looked into. */
  rested(): void;
  /** The engine goes on, stands still, or takes in a change: what is compared does the same. */
  went(): void;
  halted(): void;
  applied(change: Change): void;
  unapplied(error: unknown): void;
  engineReady(restarted: boolean): void;
  engineLost(loss: Loss): void;
  engineAbsent(absence: Absence): void;
}
