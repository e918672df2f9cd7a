/// <reference lib="webworker" />
// The engine's thread. It owns one run, moves it in short slices so that a pause or a change is heard at once,
// and knows nothing of the page. No other module imports the wasm package.

import init, { Playground, SqlConsole } from '../../pkg/twoam.js';
import type { Answer, Ask, ConsoleReplies, Digest, Message } from './protocol';
import type { Answered, ConsoleReply, ConsoleSession, Frame, Report, TableNow } from './types';

const SLICE_MS = 20;
const FRAME_MS = 1000 / 60;
const SIGN_OF_LIFE_MS = 250;
const LISTED_MOST = 1_000;

declare const self: DedicatedWorkerGlobalScope;

let loading: ReturnType<typeof init> | null = null;
let run: Playground | null = null;
let sqlConsole: SqlConsole | null = null;
let runNumber = 0;
let now_us = 0;
let ended = false;
let speed: number | null = null;
let until_us = 0;
let lastTick = 0;
let lastPost = 0;
let unseen = 0;
let scheduled = false;

self.onmessage = async (event: MessageEvent<Message>) => {
  const { id, ask } = event.data;
  if (ask.kind === 'seen') {
    unseen = Math.max(0, unseen - 1);
    return;
  }
  try {
    answer({ id, value: await handle(ask) });
  } catch (error) {
    answer(refusal(id, error, isTrap(error)));
  }
};

async function handle(ask: Exclude<Ask, { kind: 'seen' }>): Promise<unknown> {
  switch (ask.kind) {
    case 'load':
      await (loading = init());
      return null;
    case 'run': {
      // It may have been asked for before the engine was there.
      const memory = (await loading)?.memory;
      speed = null;
      run?.free();
      run = null;
      run = new Playground(ask.document, ask.request);
      runNumber = ask.run;
      now_us = 0;
      ended = false;
      advanceTo(ask.catch_up_us);
      return memory?.buffer.byteLength ?? 0;
    }
    case 'play':
      speed = ask.speed;
      until_us = ask.until_us;
      lastTick = performance.now();
      schedule();
      return null;
    case 'pause':
      speed = null;
      post();
      return null;
    case 'advance':
      speed = null;
      advanceTo(ask.until_us);
      return null;
    case 'step':
      speed = null;
      now_us = opened().step();
      post();
      return null;
    case 'apply':
      opened().apply(ask.change);
      post();
      return now_us;
    case 'report':
      return opened().report(ask.from_us, ask.to_us) as Report;
    case 'digest':
      return digest(opened().report(0, ask.to_us) as Report);
    case 'tables':
      return opened().tables(ask.at_us) as TableNow[];
    case 'answers':
      return opened().answers(ask.to_us) as Answered[];
    case 'trace-json':
      return opened().trace_json();
    case 'schedule':
      return opened().schedule();
    case 'trace-hash':
      return opened().trace_hash();
    case 'console-open':
      sqlConsole?.free();
      sqlConsole = null;
      sqlConsole = new SqlConsole(ask.setup, ask.sessions, ask.epoch_ms);
      return replied(sqlConsole, []);
    case 'console-execute':
      return withConsole((open) => open.execute(ask.session, ask.sql, ask.now_us));
    case 'console-cancel':
      return withConsole((open) => open.cancel(ask.session, ask.now_us));
    case 'console-tick':
      return withConsole((open) => open.tick(ask.now_us));
  }
}

/** As much as a list shows: the rest would only be copied. */
function digest({ cases, queries, log }: Report): Digest {
  return { cases: cases.slice(-LISTED_MOST), queries, log: log.slice(-LISTED_MOST) };
}

function withConsole(act: (open: SqlConsole) => unknown): ConsoleReplies {
  if (!sqlConsole) throw new Error('There is no console yet.');
  return replied(sqlConsole, act(sqlConsole) as ConsoleReply[]);
}

function replied(open: SqlConsole, replies: ConsoleReply[]): ConsoleReplies {
  return { replies, sessions: open.sessions() as ConsoleSession[] };
}

function opened(): Playground {
  if (!run) throw new Error('There is no run yet.');
  return run;
}

/** Frames on the way are signs of life for the watchdog, and the past that can be scrubbed. */
function advanceTo(moment_us: number) {
  const playground = opened();
  // The engine counts whole microseconds: a fraction would never be reached.
  const target_us = Math.floor(moment_us);
  while (now_us < target_us && !ended) {
    now_us = playground.advance(target_us, SLICE_MS);
    if (performance.now() - lastPost > FRAME_MS) post();
  }
  post();
}

/** A message rather than a timer: timers of nested depth are held back by 4 ms. */
const turn = new MessageChannel();
turn.port1.onmessage = () => {
  scheduled = false;
  tick();
};

function schedule() {
  if (scheduled) return;
  scheduled = true;
  turn.port2.postMessage(null);
}

function tick() {
  if (speed === null || !run) return;
  const at = performance.now();
  const passed_ms = Math.min(at - lastTick, 100);
  const target = speed === Infinity ? until_us : Math.floor(Math.min(until_us, now_us + passed_ms * 1000 * speed));
  // Until a virtual microsecond has passed there is nothing to move; the clock keeps the remainder.
  if (target - now_us >= 1 || target === until_us) {
    lastTick = at;
    try {
      now_us = run.advance(target, SLICE_MS);
    } catch (error) {
      speed = null;
      answer(refusal(0, error, true));
      return;
    }
  }
  const since = performance.now() - lastPost;
  if ((unseen < 2 && since >= FRAME_MS) || since >= SIGN_OF_LIFE_MS || now_us >= until_us) post();
  if (ended || now_us >= until_us) {
    speed = null;
    return;
  }
  if (speed === Infinity) schedule();
  else setTimeout(schedule, 4);
}

function post() {
  if (!run) return;
  const frame = run.frame() as Frame;
  ended = frame.ended;
  lastPost = performance.now();
  unseen += 1;
  answer({ frame, run: runNumber, playing: speed !== null && !ended && now_us < until_us });
}

function answer(message: Answer) {
  self.postMessage(message);
}

/** An error of the reader's code says where. */
function refusal(id: number, error: unknown, fatal: boolean): Answer {
  const { message, file, line } = (error instanceof Error ? error : new Error(String(error))) as Error & { file?: string | null; line?: number | null };
  return { id, error: message, fatal, file: file ?? null, line: line ?? null };
}

function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}
