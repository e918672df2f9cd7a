// What the view that is open is drawn from, asked for again at a reader's pace while the run goes on.

import { untrack } from 'svelte';
import type { PlaygroundState } from '../state/playground.svelte';
import type { View } from './index';

const LISTS_MS = 1_000;

/** To be called while a component is made; no view: nothing is asked for. What shows a stretch asks for itself. */
export function followView(shown: () => { playground: PlaygroundState; view: View | undefined }) {
  $effect(() => {
    const { playground, view } = shown();
    if (!view) return;
    const { of } = view;
    untrack(() => {
      playground.feed.looks = of;
      playground.feed.refresh();
    });
    if (of === 'stretch' || !playground.run.playing) return;
    const timer = setInterval(() => playground.feed.refresh(), LISTS_MS);
    return () => clearInterval(timer);
  });
}
