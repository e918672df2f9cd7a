// What a failed request says of itself: the last line of its traceback and where in the reader's code it was.

import type { Timeline } from '../core/types';

export interface Failure {
  text: string;
  file: string | null;
  line: number | null;
}

/** Of the latest request that failed in the stretch. */
export function lastFailure(timeline: Timeline): Failure | null {
  const failed = timeline.spans.findLast(({ family }) => family === 'request-failed');
  const error = failed?.details.at(-1);
  if (!error) return null;
  const place = [...error.matchAll(/File "([^"<>]+)", line (\d+)/g)].at(-1);
  return {
    text: error.trimEnd().split('\n').at(-1)!.trim(),
    file: place?.[1]?.split('/').at(-1) ?? null,
    line: place?.[2] ? Number(place[2]) : null,
  };
}
