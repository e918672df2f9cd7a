// Scenario documents and recorded runs, fetched once each from beside the page.

import type { Reality, Recording, ScenarioDocument, ScenarioSummary } from './types';

export type Recordings = { [corner in string]: Recording };

const fetched = new Map<string, Promise<unknown>>();

export function catalogue(): Promise<ScenarioSummary[]> {
  return fetchOnce('scenarios/index.json');
}

export function scenario(id: string): Promise<ScenarioDocument> {
  return fetchOnce(`scenarios/${encodeURIComponent(id)}.json`);
}

export function recordings(id: string): Promise<Recordings> {
  return fetchOnce(`recordings/${encodeURIComponent(id)}.json`);
}

/** What a real server did with the same files. */
export function reality(): Promise<Reality> {
  return fetchOnce('reality.json');
}

function fetchOnce<T>(path: string): Promise<T> {
  const known = fetched.get(path);
  if (known) return known as Promise<T>;
  const promise = (async () => {
    const response = await fetch(new URL(path, document.baseURI));
    if (!response.ok) throw new Error(`${path} could not be loaded (${response.status}).`);
    return (await response.json()) as T;
  })();
  fetched.set(path, promise);
  promise.catch(() => fetched.delete(path));
  return promise;
}
