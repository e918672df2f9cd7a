// The pictures below the first screen, in the order of their tabs. Another view is one component and one line here.

import type { Component } from 'svelte';
import type { PlaygroundState } from '../playground.svelte';
import Timeline from './Timeline.svelte';
import Cases from './Cases.svelte';
import Queries from './Queries.svelte';
import Log from './Log.svelte';

export interface ViewProps {
  playground: PlaygroundState;
  onreveal: (file: string, line: number) => void;
}

export interface View {
  id: string;
  label: string;
  component: Component<ViewProps>;
}

export const VIEWS: View[] = [
  { id: 'timeline', label: 'Timeline', component: Timeline },
  { id: 'cases', label: 'Cases', component: Cases },
  { id: 'queries', label: 'Queries', component: Queries },
  { id: 'log', label: 'Log', component: Log },
];
