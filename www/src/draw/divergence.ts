// Two runs on the same traffic, laid beside each other: the first request that both were asked and that was not answered the same.

import type { Answered } from '../core/types';

export interface Divergence {
  one: Answered;
  other: Answered;
}

/** Requests are the same when the same client asks the same thing at the same turn. */
export function firstDivergence(one: Answered[], other: Answered[]): Divergence | null {
  const name = ({ client, turn, arguments: asked }: Answered) => `${client} ${turn} ${asked}`;
  const others = new Map(other.map((answer) => [name(answer), answer]));
  let first: Divergence | null = null;
  for (const answer of one) {
    const counterpart = others.get(name(answer));
    if (!counterpart || counterpart.status === answer.status) continue;
    if (!first || decided(answer, counterpart) < decided(first.one, first.other)) first = { one: answer, other: counterpart };
  }
  return first;
}

/** From here on the two differ: the earlier of the two answers. */
function decided(one: Answered, other: Answered): number {
  return Math.min(one.at_us, other.at_us);
}
