// The pictures below the first screen, in the order of their tabs. Another view is one component and one line here.

import type { Component } from 'svelte';
import type { View as ViewId } from '../core/types';
import type { PlaygroundState } from '../state/playground.svelte';
import Timeline from './Timeline.svelte';
import Locks from './Locks.svelte';
import Cases from './Cases.svelte';
import Queries from './Queries.svelte';
import Log from './Log.svelte';
import Tables from './Tables.svelte';

export interface ViewProps {
  playground: PlaygroundState;
  onreveal: (file: string, line: number) => void;
}

export interface View {
  id: ViewId;
  label: string;
  /** What it is drawn from: the stretch around the cursor, the lists of the whole run, or tables or locks at the cursor. */
  of: 'stretch' | 'run' | 'tables' | 'locks';
  component: Component<ViewProps>;
}

export const VIEWS: View[] = [
  { id: 'timeline', label: 'Timeline', of: 'stretch', component: Timeline },
  { id: 'locks', label: 'Locks', of: 'locks', component: Locks },
  { id: 'tables', label: 'Tables', of: 'tables', component: Tables },
  { id: 'cases', label: 'Cases', of: 'run', component: Cases },
  { id: 'queries', label: 'Queries', of: 'run', component: Queries },
  { id: 'log', label: 'Log', of: 'run', component: Log },
];
