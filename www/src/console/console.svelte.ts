// The state of the console: sessions on one database, what each has shown, and the walkthrough that is followed.

import { Abandoned, absenceInWords, Engine, lossInWords } from '../core/client';
import type { ConsoleAsk } from '../core/protocol';
import type { ConsoleOutput, ConsoleSession } from '../core/types';
import { tableColumns } from '../draw/schema';
import { decodeConsole, encodeConsole, type Typed } from './link';
import { WALKTHROUGHS, type Walkthrough } from './walkthroughs';

export type Entry = { kind: 'input'; sql: string } | ConsoleOutput;

const TICK_MS = 100;
/** A statement of a link that has to wait for its session: a search for a deadlock takes a second. */
const PATIENCE_MS = 4_000;
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
  #typed: Typed[] = [];

  constructor(hash: string) {
    this.#engine = new Engine({
      ready: () => void this.#begin(hash),
      frame: () => {},
      restarted: (loss) => {
        this.ready = false;
        this.trouble = `${lossInWords(loss)} The database is being set up anew.`;
      },
      unavailable: (absence) => (this.trouble = absenceInWords(absence)),
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

  /** What can be named: tables and columns of the walkthrough, and those made since. */
  get names(): string[] {
    const made = this.transcripts.flat().flatMap((entry) => (entry.kind === 'input' ? [entry.sql] : []));
    return [...tableColumns([this.walkthrough.setup, ...made].join(';\n'))].flat(2);
  }

  async link(): Promise<string> {
    const url = new URL(location.href);
    url.hash = await encodeConsole({ walkthrough: this.walkthrough.id, count: this.count, typed: this.#typed });
    return url.href;
  }

  /** As a link has it: the same statements in the same order, each when its session can take it. */
  async #begin(hash: string) {
    try {
      const state = await decodeConsole(hash);
      const known = CHOICES.find(({ id }) => id === state?.walkthrough);
      await this.open(known ?? this.walkthrough, state?.count ?? this.count);
      for (const { session, sql } of state?.typed ?? []) {
        if (sql === null) {
          await this.cancel(session);
          continue;
        }
        const until = performance.now() + PATIENCE_MS;
        while (this.sessions[session]?.wait && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
        if (this.walkthrough.steps[this.step]?.session === session && this.walkthrough.steps[this.step]?.sql === sql) this.step += 1;
        await this.execute(session, sql);
      }
    } catch (error) {
      await this.open(this.walkthrough, this.count);
      this.trouble = error instanceof Error ? error.message : String(error);
    }
  }

  async open(walkthrough: Walkthrough, count: number) {
    this.trouble = '';
    this.#typed = [];
    this.walkthrough = walkthrough;
    this.count = count;
    this.step = 0;
    this.transcripts = Array.from({ length: count }, () => []);
    this.sessions = [];
    this.#opened = performance.now();
    await this.#ask({ kind: 'console-open', setup: walkthrough.setup, sessions: count, epoch_ms: Date.now() });
    this.ready = true;
  }

  async execute(session: number, sql: string) {
    if (!sql.trim()) return;
    this.#typed.push({ session, sql: sql.trim() });
    this.#show(session, { kind: 'input', sql: sql.trim() });
    await this.#ask({ kind: 'console-execute', session, sql, now_us: this.#now() });
  }

  async cancel(session: number) {
    this.#typed.push({ session, sql: null });
    await this.#ask({ kind: 'console-cancel', session, now_us: this.#now() });
  }

  async next() {
    const step = this.walkthrough.steps[this.step];
    if (!step) return;
    this.step += 1;
    await this.execute(step.session, step.sql);
  }

  async #ask(ask: ConsoleAsk) {
    try {
      const { replies, sessions } = await this.#engine.ask(ask);
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
