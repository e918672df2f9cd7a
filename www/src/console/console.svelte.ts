// The state of the console: sessions on one database, what each has shown, and the walkthrough that is followed.

import { Abandoned, Engine } from '../core/client';
import type { ConsoleReplies } from '../core/protocol';
import type { ConsoleOutput, ConsoleSession } from '../core/types';
import { WALKTHROUGHS, type Walkthrough } from './walkthroughs';

export type Entry = { kind: 'input'; sql: string } | ConsoleOutput;

const TICK_MS = 100;
const ENTRIES_MOST = 200;
const FREE: Walkthrough = { id: '', title: 'On your own', setup: WALKTHROUGHS[0]!.setup, steps: [], moral: '' };
export const CHOICES = [...WALKTHROUGHS, FREE];

export class ConsoleModel {
  count = $state(2);
  walkthrough = $state.raw<Walkthrough>(WALKTHROUGHS[0]!);
  /** The walkthrough's next step. */
  step = $state(0);
  transcripts = $state<Entry[][]>([]);
  sessions = $state.raw<ConsoleSession[]>([]);
  ready = $state(false);
  trouble = $state('');

  #engine: Engine;
  #ticking: ReturnType<typeof setInterval>;
  #opened = 0;

  constructor() {
    this.#engine = new Engine({
      ready: () => this.open(this.walkthrough, this.count),
      frame: () => {},
      restarted: (reason) => {
        this.ready = false;
        this.trouble = `${reason} The database is being set up anew.`;
      },
      unavailable: (reason) => (this.trouble = reason),
    });
    this.#engine.start();
    this.#ticking = setInterval(() => {
      if (this.sessions.some(({ wait }) => wait)) void this.#ask({ kind: 'console-tick', now_us: this.#now() });
    }, TICK_MS);
  }

  close() {
    clearInterval(this.#ticking);
    this.#engine.stop();
  }

  open(walkthrough: Walkthrough, count: number) {
    this.walkthrough = walkthrough;
    this.count = count;
    this.step = 0;
    this.transcripts = Array.from({ length: count }, () => []);
    this.sessions = [];
    this.#opened = performance.now();
    void this.#ask({ kind: 'console-open', setup: walkthrough.setup, sessions: count, epoch_ms: Date.now() }).then(() => (this.ready = true));
  }

  async execute(session: number, sql: string) {
    if (!sql.trim()) return;
    this.#show(session, { kind: 'input', sql: sql.trim() });
    await this.#ask({ kind: 'console-execute', session, sql, now_us: this.#now() });
  }

  cancel(session: number) {
    void this.#ask({ kind: 'console-cancel', session, now_us: this.#now() });
  }

  async next() {
    const step = this.walkthrough.steps[this.step];
    if (!step) return;
    this.step += 1;
    await this.execute(step.session, step.sql);
  }

  async #ask(ask: Parameters<Engine['ask']>[0]) {
    try {
      const { replies, sessions } = (await this.#engine.ask(ask)) as ConsoleReplies;
      for (const { session, output } of replies) this.#show(session, output);
      this.sessions = sessions;
    } catch (error) {
      if (!(error instanceof Abandoned)) this.trouble = error instanceof Error ? error.message : String(error);
    }
  }

  #show(session: number, entry: Entry) {
    const transcript = this.transcripts[session];
    if (!transcript) return;
    transcript.push(entry);
    if (transcript.length > ENTRIES_MOST) transcript.splice(0, transcript.length - ENTRIES_MOST);
  }

  #now(): number {
    return Math.round((performance.now() - this.#opened) * 1000);
  }
}
