// Which key means what. One table for the page's handler and for the list it shows.

export type Intent = 'play' | 'variant' | 'environment' | 'reset' | 'back' | 'forward' | 'present' | 'next-beat' | 'previous-beat' | 'pick' | 'help';

export const KEYS: { key: string; shown: string; intent: Intent; does: string }[] = [
  { key: ' ', shown: 'Space', intent: 'play', does: 'Play or pause' },
  { key: 'p', shown: 'P', intent: 'environment', does: 'My machine or production' },
  { key: 'h', shown: 'H', intent: 'variant', does: 'Naive or hardened' },
  { key: 'r', shown: 'R', intent: 'reset', does: 'Start again from zero' },
  { key: 'ArrowLeft', shown: '←', intent: 'back', does: 'One step back' },
  { key: 'ArrowRight', shown: '→', intent: 'forward', does: 'One step on' },
  { key: 's', shown: 'S', intent: 'pick', does: 'Choose a scenario' },
  { key: 't', shown: 'T', intent: 'present', does: 'Give a talk, or end it' },
  { key: 'n', shown: 'N', intent: 'next-beat', does: 'Next beat of the talk' },
  { key: 'b', shown: 'B', intent: 'previous-beat', does: 'Beat before' },
  { key: '?', shown: '?', intent: 'help', does: 'This list' },
];

/** Keys that a field, the editor or a focused control uses itself are left to it. */
export function intent(event: KeyboardEvent): Intent | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = event.composedPath()[0];
  if (target instanceof HTMLElement) {
    if (target.isContentEditable || target.closest('input, select, textarea, [data-keys]')) return null;
    if (event.key === ' ' && target.closest('button, a, summary')) return null;
    if (event.key.startsWith('Arrow') && target.closest('[role="tablist"]')) return null;
  }
  return KEYS.find(({ key }) => key === (event.key.length === 1 ? event.key.toLowerCase() : event.key))?.intent ?? null;
}
