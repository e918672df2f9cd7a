// Two runs on the same traffic, laid beside each other: the first request that both were asked and that was not answered the same.

import type { Answered } from '../core/types';

export interface Divergence {
  one: Answered;
  other: Answered;
}

/** Clients wait for their answers, so what they ask moves apart; further apart than this it meets another moment of the shop. */
const APART_US = 50_000;

/** Requests are the same when the same client asks the same thing at the same turn and at about the same time. */
export function firstDivergence(one: Answered[], other: Answered[]): Divergence | null {
  const name = ({ client, turn, arguments: asked }: Answered) => `${client} ${turn} ${asked}`;
  const others = new Map(other.map((answer) => [name(answer), answer]));
  let first: Divergence | null = null;
  for (const answer of one) {
    const counterpart = others.get(name(answer));
    if (!counterpart || counterpart.status === answer.status || Math.abs(counterpart.from_us - answer.from_us) > APART_US) continue;
    if (!first || decided(answer, counterpart) < decided(first.one, first.other)) first = { one: answer, other: counterpart };
  }
  return first;
}

/** `product_id 1, quantity 2`; as it stands where it is no record. */
export function askedInWords(asked: string): string {
  try {
    const fields: unknown = JSON.parse(asked);
    if (typeof fields !== 'object' || fields === null) return asked;
    return Object.entries(fields)
      .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(', ');
  } catch {
    return asked;
  }
}

/** From here on the two differ: the earlier of the two answers. */
function decided(one: Answered, other: Answered): number {
  return Math.min(one.at_us, other.at_us);
}
