// Which key means what. One table for the page's handler and for the list it shows.

import type { View } from './core/types';

export type Intent =
  | 'play'
  | 'variant'
  | 'environment'
  | 'reset'
  | 'back'
  | 'forward'
  | 'present'
  | 'next-beat'
  | 'previous-beat'
  | 'finish-beat'
  | 'pick'
  | 'help'
  | 'picture'
  | `view-${View}`;

interface Key {
  /** As events name them. */
  keys: string[];
  shown: string;
  intent: Intent;
  does: string;
  /** Only while a talk is given: elsewhere the browser has its own use for it. */
  talk?: true;
}

export const KEYS: Key[] = [
  { keys: [' '], shown: 'Space', intent: 'play', does: 'Play or pause' },
  { keys: ['p'], shown: 'P', intent: 'environment', does: 'My machine or production' },
  { keys: ['h'], shown: 'H', intent: 'variant', does: 'Naive or hardened' },
  { keys: ['r'], shown: 'R', intent: 'reset', does: 'Start again from zero; in a talk, the beat from its beginning' },
  { keys: ['ArrowLeft'], shown: '←', intent: 'back', does: 'One step back' },
  { keys: ['ArrowRight'], shown: '→', intent: 'forward', does: 'One step on' },
  { keys: ['s'], shown: 'S', intent: 'pick', does: 'Choose a scenario' },
  { keys: ['1'], shown: '1', intent: 'view-timeline', does: 'Timeline' },
  { keys: ['2', 'l'], shown: '2, L', intent: 'view-locks', does: 'Locks' },
  { keys: ['3'], shown: '3', intent: 'view-tables', does: 'Tables' },
  { keys: ['4'], shown: '4', intent: 'view-cases', does: 'Cases' },
  { keys: ['5'], shown: '5', intent: 'view-queries', does: 'Queries' },
  { keys: ['6'], shown: '6', intent: 'view-log', does: 'Log' },
  { keys: ['t'], shown: 'T', intent: 'present', does: 'Start or end a talk' },
  { keys: ['n'], shown: 'N', intent: 'next-beat', does: 'Next beat of the talk' },
  { keys: ['PageDown'], shown: 'Page Down', intent: 'next-beat', does: 'The same during a talk; presentation clickers send it', talk: true },
  { keys: ['b'], shown: 'B', intent: 'previous-beat', does: 'Previous beat of the talk' },
  { keys: ['PageUp'], shown: 'Page Up', intent: 'previous-beat', does: 'The same during a talk', talk: true },
  { keys: ['End'], shown: 'End', intent: 'finish-beat', does: 'In a talk, skip to where the beat stops', talk: true },
  { keys: ['0'], shown: '0', intent: 'picture', does: 'In a talk, back to the beat’s own picture', talk: true },
  { keys: ['?'], shown: '?', intent: 'help', does: 'This list' },
];

const CONTROL = 'button, a, summary, [role="tab"]';
/** The control that has the focus because a pointer chose it: its keys stay the page's. */
let pointed: Element | null = null;

/** Tells keys that are meant for a control from those that come after a click on one. Returns what ends it. */
export function watchPointer(): () => void {
  const listening = new AbortController();
  const { signal } = listening;
  addEventListener('pointerdown', ({ target }) => (pointed = target instanceof Element ? target.closest(CONTROL) : null), { signal, capture: true });
  addEventListener('focusin', ({ target }) => (pointed = target === pointed ? pointed : null), { signal });
  // Some browsers press a button when the key comes up, whatever became of it going down.
  const keyup = (event: KeyboardEvent) => {
    if (event.key === ' ' && pointed !== null && event.target === pointed) event.preventDefault();
  };
  addEventListener('keyup', keyup, { signal, capture: true });
  return () => listening.abort();
}

/** Keys that a field, the editor or a control chosen by keys uses itself are left to it. */
export function intent(event: KeyboardEvent, talk: boolean): Intent | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = event.composedPath()[0];
  if (target instanceof HTMLElement) {
    if (target.isContentEditable || target.closest('input, select, textarea, [data-keys]')) return null;
    const control = target.closest(CONTROL);
    if (control && control !== pointed) {
      if (event.key === ' ') return null;
      if (event.key.startsWith('Arrow') && target.closest('[role="tablist"]')) return null;
    }
  }
  const pressed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const meant = KEYS.find(({ keys }) => keys.includes(pressed));
  return meant && (talk || !meant.talk) ? meant.intent : null;
}

/** The view that an intent opens. */
export function viewOf(intent: Intent): View | null {
  return intent.startsWith('view-') ? (intent.slice('view-'.length) as View) : null;
}
