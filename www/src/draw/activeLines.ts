// Where clients stand, in words.

import type { LitLine } from '../core/types';
import { plural } from './format';

/** `38 clients on line 12, 4 of them wait for a lock.` The busiest lines first. */
export function activeLinesInWords(active: readonly LitLine[], most = 3): string {
  return [...active]
    .sort((a, b) => b.clients - a.clients || a.line - b.line)
    .slice(0, most)
    .map(({ line, clients, lock_waits, pool_waits }) => {
      const waits = [
        lock_waits > 0 ? `${waiting(clients, lock_waits)} for a lock` : '',
        pool_waits > 0 ? `${waiting(clients, pool_waits)} for a connection` : '',
      ].filter(Boolean);
      return `${plural(clients, 'client')} on line ${line}${waits.length > 0 ? `, ${waits.join(' and ')}` : ''}`;
    })
    .join('; ')
    .concat('.');
}

function waiting(clients: number, waits: number): string {
  if (clients === waits) return clients === 1 ? 'waiting' : 'all waiting';
  return `${waits} waiting`;
}
