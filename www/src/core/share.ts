// A run as a link: the request and the moment looked at, compressed into the address's hash. The first letters name
// the codec, so that links written by older pages stay readable when a newer codec comes.

import type { RunRequest, TimedChange } from './types';

export interface Shared {
  request: RunRequest;
  at_us: number;
  /** Which engine it was made with, and the start of the trace's checksum at that moment: whether it came out the same here. */
  made?: { engine: string; trace: string };
}

/** As much of a checksum as a link carries. */
const CHECKSUM_LENGTH = 16;

const CODEC = 'v1.';
/** Far above any honest edit; a larger link is not looked at. */
const LONGEST_LINK = 200_000;
const LONGEST_TEXT = 1_000_000;

export async function encode(shared: Shared): Promise<string> {
  const { request, at_us, made } = shared;
  const compact = {
    s: request.scenario,
    v: request.variant,
    e: request.environment,
    n: request.seed,
    k: request.knobs,
    f: request.sources,
    c: request.changes,
    t: at_us,
    g: made?.engine,
    h: made?.trace.slice(0, CHECKSUM_LENGTH),
  };
  return CODEC + (await pack(compact));
}

/** Throws an error with a sentence for the reader when the link cannot be read. */
export async function decode(hash: string): Promise<Shared> {
  const text = hash.replace(/^#/, '');
  if (!text.startsWith(CODEC)) throw new Error('This link was made by another version of the page, or is incomplete.');
  return checked(await unpack(text.slice(CODEC.length)));
}

/** Any plain value as letters that stand in an address. */
export async function pack(value: unknown): Promise<string> {
  return toBase64(await through(new TextEncoder().encode(JSON.stringify(value)), new CompressionStream('deflate-raw')));
}

export async function unpack(text: string): Promise<unknown> {
  if (text.length > LONGEST_LINK) throw new Error('This link is longer than any this page makes.');
  try {
    const bytes = await through(fromBase64(text), new DecompressionStream('deflate-raw'));
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Error('This link is damaged: part of it is missing.');
  }
}

function checked(parsed: unknown): Shared {
  const fields = record(parsed);
  // Links of the first pages have neither.
  const made = fields.g === undefined || fields.h === undefined ? {} : { made: { engine: name(fields.g), trace: name(fields.h) } };
  return {
    ...made,
    request: {
      scenario: name(fields.s),
      variant: name(fields.v),
      environment: name(fields.e),
      seed: count(fields.n, 0xffffffff),
      knobs: Object.fromEntries(Object.entries(record(fields.k ?? {})).map(([knob, value]) => [name(knob), amount(value)])),
      sources: Object.fromEntries(Object.entries(record(fields.f ?? {})).map(([file, source]) => [name(file), sourceText(source)])),
      changes: list(fields.c ?? []).map(timedChange),
    },
    at_us: count(fields.t ?? 0, Number.MAX_SAFE_INTEGER),
  };
}

function timedChange(value: unknown): TimedChange {
  const { at_us, change } = record(value);
  const fields = record(change);
  const at = count(at_us, Number.MAX_SAFE_INTEGER);
  switch (fields.kind) {
    case 'variant':
      return { at_us: at, change: { kind: 'variant', variant: name(fields.variant) } };
    case 'knob':
      return { at_us: at, change: { kind: 'knob', knob: name(fields.knob), value: amount(fields.value) } };
    case 'fault':
      return { at_us: at, change: { kind: 'fault', fault: name(fields.fault), on: fields.on === true } };
    case 'source':
      return { at_us: at, change: { kind: 'source', file: name(fields.file), text: sourceText(fields.text) } };
    default:
      throw damaged();
  }
}

export function damaged(): Error {
  return new Error('This link is damaged: it contains something that is not part of a run.');
}

export function record(value: unknown): { [key in string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged();
  return value as { [key in string]: unknown };
}

export function list(value: unknown): unknown[] {
  if (!Array.isArray(value) || value.length > 1_000) throw damaged();
  return value;
}

function name(value: unknown): string {
  if (typeof value !== 'string' || !/^[\w.-]{1,80}$/.test(value)) throw damaged();
  return value;
}

function sourceText(value: unknown): string {
  if (typeof value !== 'string' || value.length > LONGEST_TEXT) throw damaged();
  return value;
}

function amount(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw damaged();
  return value;
}

function count(value: unknown, most: number): number {
  const number = amount(value);
  if (!Number.isInteger(number) || number < 0 || number > most) throw damaged();
  return number;
}

/** Stops a small link that unfolds into a very large text. */
async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > 2 * LONGEST_TEXT) throw damaged();
    parts.push(value);
  }
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
