// What an embed shows, as the part of its address behind the #: `scenario=oversell&variant=row-lock&run=v1.…`. It is read
// on pages of others, so everything in it is checked.

import { decode, type Shared } from '../core/share';
import { isNaive } from '../core/scenario';
import type { RunRequest, ScenarioDocument } from '../core/types';

export interface Address {
  scenario: string;
  /** The fix that is deployed; empty: the scenario's first. */
  variant: string;
  /** A run that was shared, as a link has it; empty: the scenario as it is. */
  run: string;
  theme: 'light' | 'dark' | '';
  /** The origin of the page whose script has put the embed there; empty: it is in a plain frame. */
  host: string;
}

/** `scenario`: what the page itself is of. */
export function readAddress(hash: string, scenario = ''): Address {
  const said = new URLSearchParams(hash.replace(/^#/, ''));
  const theme = said.get('theme');
  return {
    scenario: said.get('scenario') ?? scenario,
    variant: said.get('variant') ?? '',
    run: said.get('run') ?? '',
    theme: theme === 'light' || theme === 'dark' ? theme : '',
    host: said.get('host') ?? '',
  };
}

export function writeAddress(address: Partial<Address>): string {
  return new URLSearchParams(Object.entries(address).filter(([, value]) => value !== '')).toString();
}

/** What is to be run, and what to say of that which cannot be. */
export interface Wanted {
  request: RunRequest;
  /** Where the sender looked. */
  at_us: number;
  /** The variant that mends it; null: the run is shown as it is, with the changes it has. */
  fix: string | null;
  notice: string;
}

/** Throws an error with a sentence for the reader when a run cannot be read. */
export async function sharedRun({ run }: Pick<Address, 'run'>): Promise<Shared | null> {
  return run ? decode(run) : null;
}

export function wanted({ variant }: Pick<Address, 'variant'>, shared: Shared | null, document: ScenarioDocument): Wanted {
  const fixes = document.variants.map(({ id }) => id).filter((id) => !isNaive(id));
  const production = document.environments.at(-1)!.id;
  const unknown = variant !== '' && !document.variants.some(({ id }) => id === variant);
  const notices = unknown ? [`“${document.summary.title}” has no variant “${variant}”. It has: ${fixes.join(', ')}.`] : [];
  const chosen = fixes.includes(variant) ? variant : fixes[0];
  const own: RunRequest = { scenario: document.summary.id, variant: document.variants[0]!.id, environment: production, seed: 1, knobs: {}, sources: {}, changes: [] };
  if (!shared) return { request: own, at_us: 0, fix: chosen ?? null, notice: notices.join(' ') };
  const { request, missing } = fitted(shared.request, document, own);
  if (missing.length > 0) notices.push(`The link names things the scenario does not have: ${missing.join(', ')}. The rest is as it was sent.`);
  const asSent = request.changes.some(({ change }) => change.kind === 'variant') || !isNaive(request.variant);
  return { request, at_us: shared.at_us, fix: asSent ? null : (chosen ?? null), notice: notices.join(' ') };
}

/** A run without what the scenario does not have. */
function fitted(sent: RunRequest, document: ScenarioDocument, own: RunRequest): { request: RunRequest; missing: string[] } {
  const missing: string[] = [];
  const known = (what: string, name: string, has: boolean) => {
    if (!has) missing.push(`${what} “${name}”`);
    return has;
  };
  const isVariant = (id: string) => known('variant', id, document.variants.some((variant) => variant.id === id));
  const isKnob = (id: string) => known('knob', id, document.knobs.some((knob) => knob.id === id));
  const isFault = (id: string) => known('fault', id, document.faults.some((fault) => fault.id === id));
  const isFile = (name: string) => known('file', name, name === 'schema.sql' || document.variants.some(({ file }) => file === name));
  const request: RunRequest = {
    ...own,
    seed: sent.seed,
    variant: isVariant(sent.variant) ? sent.variant : own.variant,
    environment: known('environment', sent.environment, document.environments.some(({ id }) => id === sent.environment)) ? sent.environment : own.environment,
    knobs: Object.fromEntries(
      Object.entries(sent.knobs).flatMap(([id, value]) => {
        if (!isKnob(id)) return [];
        const { min, max } = document.knobs.find((knob) => knob.id === id)!;
        return [[id, Math.min(max, Math.max(min, value))]];
      }),
    ),
    sources: Object.fromEntries(Object.entries(sent.sources).filter(([name]) => isFile(name))),
    changes: sent.changes.filter(({ change }) => {
      if (change.kind === 'variant') return isVariant(change.variant);
      if (change.kind === 'knob') return isKnob(change.knob);
      return change.kind === 'fault' ? isFault(change.fault) : isFile(change.file);
    }),
  };
  return { request, missing };
}
