// A run as others take it: a link, a command, a file of its trace.

import { decode, encode, type Shared } from '../core/share';
import { readTalk } from '../stage/address';
import type { RunSession } from './run.svelte';

/** Which build of the engine this page was built with. */
const ENGINE = __ENGINE__;

/** What an address asks for: a run that was shared, a beat of a talk, or a scenario by its name; empty: nothing. Throws what a link is refused with. */
export async function readAddress(hash: string): Promise<{ shared: Shared | null; scenario: string; beat?: number }> {
  const talk = readTalk(hash);
  if (talk) return { shared: null, ...talk };
  if (hash.length <= 1 || /^#[a-z][a-z0-9-]*$/.test(hash)) return { shared: null, scenario: hash.slice(1) };
  const shared = await decode(hash);
  return { shared, scenario: shared.request.scenario };
}

export async function shareLink(run: RunSession): Promise<string> {
  // The thread is a little ahead of the page: the moment that is shared is where it came to stand.
  await run.halted;
  const url = new URL(location.href);
  const { request } = run;
  if (!request) return url.href;
  const shared: Shared = { request, at_us: Math.round(run.cursor_us) };
  // A checksum is of all that has run: it says nothing of a moment in the middle.
  if (run.live && run.cursor_us === run.reached_us) {
    const trace = await run.look({ kind: 'trace-hash' });
    if (trace) shared.made = { engine: ENGINE, trace };
  }
  url.hash = await encode(shared);
  return url.href;
}

/** A link promises the same run: what to tell the reader where it is not; null: it is, or the link does not say. */
export async function differsFrom(sent: NonNullable<Shared['made']>, run: RunSession): Promise<string | null> {
  const trace = await run.look({ kind: 'trace-hash' });
  if (!trace || trace.startsWith(sent.trace)) return null;
  const why = sent.engine === ENGINE ? 'This run came out differently from the one the link was made from' : 'This link was made with another version of the engine, and the run comes out differently here';
  return `${why}, so numbers may differ from those its sender saw.`;
}

/** Every event of the run so far, as the command line writes it; empty while there is no live run. */
export async function traceJson(run: RunSession): Promise<string> {
  await run.begun;
  return run.live ? ((await run.look({ kind: 'trace-json' })) ?? '') : '';
}

/** The run as the command line takes it; empty while there is no live run. */
export async function commandLine(run: RunSession): Promise<string> {
  const schedule = run.live ? await run.look({ kind: 'schedule' }) : undefined;
  return schedule && run.request ? `twoam run ${run.request.scenario} --replay '${schedule.replaceAll("'", "'\\''")}'` : '';
}
