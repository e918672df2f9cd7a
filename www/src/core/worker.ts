/// <reference lib="webworker" />
// The engine's thread. It owns one run, moves it in short slices so that a pause or a change is heard at once,
// and knows nothing of the page. No other module imports the wasm package.

import init, { Playground, SqlConsole, statement_in_work } from '../../pkg/twoam.js';
import engine from '../../pkg/twoam_bg.wasm?url';
import type { Answer, AskKind, AskOf, ConsoleReplies, Digest, Message, Replies } from './protocol';
import type { ConsoleReply, Frame, Report } from './types';

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

self.onmessage = async ({ data }: MessageEvent<Message>) => {
  if (data === 'seen') {
    unseen = Math.max(0, unseen - 1);
    return;
  }
  const { id, ask } = data;
  try {
    answer({ id, value: await handle(ask.kind, ask) });
  } catch (error) {
    answer(refusal(id, error, isTrap(error)));
  }
};

function handle<K extends AskKind>(kind: K, ask: AskOf<K>): Replies[K] | Promise<Replies[K]> {
  return HANDLERS[kind](ask);
}

const HANDLERS: { [K in AskKind]: (ask: AskOf<K>) => Replies[K] | Promise<Replies[K]> } = {
  async load() {
    await (loading ??= init({ module_or_path: download() }));
    return null;
  },
  async run(ask) {
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
  },
  play(ask) {
    speed = ask.speed;
    until_us = ask.until_us;
    lastTick = performance.now();
    schedule();
    return null;
  },
  pause() {
    speed = null;
    post();
    return null;
  },
  advance(ask) {
    speed = null;
    advanceTo(ask.until_us);
    return null;
  },
  step() {
    speed = null;
    now_us = opened().step();
    post();
    return null;
  },
  apply({ change }) {
    opened().apply(change);
    post();
    return now_us;
  },
  report: ({ from_us, to_us }) => opened().report(from_us, to_us),
  digest: ({ to_us }) => digest(opened().report(0, to_us)),
  tables: ({ at_us }) => opened().tables(at_us),
  locks: ({ at_us }) => opened().locks(at_us),
  collision: ({ to_us }) => opened().collision(to_us),
  answers: ({ to_us }) => opened().answers(to_us),
  schedule: () => opened().schedule(),
  'trace-json': () => opened().trace_json(),
  'trace-hash': () => opened().trace_hash(),
  'console-open'({ setup, sessions, epoch_ms }) {
    sqlConsole?.free();
    sqlConsole = null;
    sqlConsole = new SqlConsole(setup, sessions, epoch_ms);
    return replied(sqlConsole, []);
  },
  'console-execute': (ask) => withConsole((open) => open.execute(ask.session, ask.sql, ask.now_us)),
  'console-cancel': (ask) => withConsole((open) => open.cancel(ask.session, ask.now_us)),
  'console-tick': (ask) => withConsole((open) => open.tick(ask.now_us)),
};

/** On a slow line the engine takes minutes: how much has come is told, which is also a sign of life. */
async function download(): Promise<Response> {
  const response = await fetch(engine);
  const arriving = response.ok && response.clone().body;
  // An error is met by the one who compiles what arrives, too, and told there.
  if (arriving) count(arriving).catch(() => {});
  return response;
}

async function count(arriving: ReadableStream<Uint8Array>) {
  const reader = arriving.getReader();
  let bytes = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    bytes += next.value.byteLength;
    answer({ loaded: bytes / __ENGINE_BYTES__ });
  }
}

/** As much as a list shows: the rest would only be copied. */
function digest({ cases, queries, log }: Report): Digest {
  return { cases: cases.slice(-LISTED_MOST), queries, log: log.slice(-LISTED_MOST) };
}

function withConsole(act: (open: SqlConsole) => ConsoleReply[]): ConsoleReplies {
  if (!sqlConsole) throw new Error('There is no console yet.');
  return replied(sqlConsole, act(sqlConsole));
}

function replied(open: SqlConsole, replies: ConsoleReply[]): ConsoleReplies {
  return { replies, sessions: open.sessions() };
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
  const frame: Frame = run.frame();
  ended = frame.ended;
  lastPost = performance.now();
  unseen += 1;
  answer({ frame, run: runNumber, playing: speed !== null && !ended && now_us < until_us });
}

function answer(message: Answer) {
  self.postMessage(message);
}

/** An error of the reader's code says where. */
interface Located extends Error {
  file?: string | null;
  line?: number | null;
}

function refusal(id: number, thrown: unknown, fatal: boolean): Answer {
  const error: Located = thrown instanceof Error ? thrown : new Error(String(thrown));
  const statement = fatal ? inWork() : null;
  const what = statement === null ? error.message : `${error.message}, at the statement ${statement}`;
  return { id, error: what, fatal, file: error.file ?? null, line: error.line ?? null };
}

/** A trapped instance can still be asked, unless its stack is what gave out. */
function inWork(): string | null {
  try {
    return statement_in_work() ?? null;
  } catch {
    return null;
  }
}

function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}
