// Numbers and moments as the page writes them: the same digits for the same value everywhere.

import type { Metric, Unit } from '../core/types';

export interface Written {
  /** The digits. */
  value: string;
  /** Small, behind the digits; may be empty. */
  unit: string;
}

export const NOTHING: Written = { value: '–', unit: '' };

export function write(value: number | null | undefined, unit: Unit): Written {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  switch (unit) {
    case 'count':
      return { value: grouped(value, Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0), unit: '' };
    case 'ms':
      if (value >= 10_000) return { value: grouped(value / 1000, 1), unit: 's' };
      return { value: grouped(value, value < 10 ? 1 : 0), unit: 'ms' };
    case 'cents':
      return { value: grouped(value / 100, 2), unit: '$' };
    case 'ratio':
      return { value: grouped(value * 100, value < 0.1 ? 1 : 0), unit: '%' };
    case 'bytes': {
      const steps = ['B', 'KB', 'MB', 'GB'];
      const step = Math.min(steps.length - 1, value > 0 ? Math.floor(Math.log2(value) / 10) : 0);
      return { value: grouped(value / 1024 ** step, step > 0 && value / 1024 ** step < 10 ? 1 : 0), unit: steps[step]! };
    }
  }
}

export function inWords(value: number | null | undefined, unit: Unit): string {
  const written = write(value, unit);
  if (!written.unit) return written.value;
  return written.unit === '$' ? `$${written.value}` : `${written.value} ${written.unit}`;
}

/** Counters are charted and captioned by their rate, everything else by its value. */
export function perSecond(metric: Metric): boolean {
  return metric.kind === 'counter';
}

/** Made once: a formatter costs more than the sixty numbers a second it writes. */
const FORMATS = [0, 1, 2, 3].map((decimals) => new Intl.NumberFormat('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));

export function grouped(value: number, decimals: 0 | 1 | 2 | 3 = 0): string {
  return FORMATS[decimals]!.format(value);
}

/** `4.250 s`, `1:04.250`. */
export function moment(us: number, decimals = 3): string {
  const seconds = us / 1_000_000;
  const minutes = Math.floor(seconds / 60);
  const rest = (seconds - minutes * 60).toFixed(decimals);
  return minutes > 0 ? `${minutes}:${rest.padStart(decimals > 0 ? decimals + 3 : 2, '0')}` : `${rest} s`;
}

/** `340 µs`, `12.4 ms`, `1.30 s`. */
export function span(us: number): string {
  if (us < 1_000) return `${Math.round(us)} µs`;
  if (us < 1_000_000) return `${(us / 1_000).toFixed(us < 100_000 ? 1 : 0)} ms`;
  return `${(us / 1_000_000).toFixed(2)} s`;
}

/** `0.06 µs`, `250 µs`, `1.73 ms`, `2 s`: what a step of the model costs. */
export function cost(us: number): string {
  const digits = (value: number) => String(Number(value.toPrecision(value < 1 ? 1 : 3)));
  if (us < 1_000) return `${digits(us)} µs`;
  return us < 1_000_000 ? `${digits(us / 1_000)} ms` : `${digits(us / 1_000_000)} s`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** First letter large: a sentence of the manifest at the start of a line. */
export function opened(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** With its full stop: manifests write one-liners without. */
export function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
