// A recorded run into which the fix is deployed: up to that moment it is the recording of naive code, and from it on its
// recovery, which was made by deploying the fix into the same run.

import type { Recording, RunRequest } from '../core/types';

export interface Recovered {
  request: RunRequest;
  recording: Recording;
  deploy_us: number;
}

/** Null: no such run was recorded with this variant. */
export function recovered(recording: Recording | null, variant: string): Recovered | null {
  const recovery = recording?.recovery;
  const deploy = recovery?.request.changes.at(-1);
  if (!recording || !recovery || deploy?.change.kind !== 'variant' || deploy.change.variant !== variant) return null;
  const before = recording.frames.filter(({ now_us }) => now_us < deploy.at_us);
  return { request: recovery.request, deploy_us: deploy.at_us, recording: { ...recording, request: recovery.request, frames: [...before, ...recovery.frames], recovery: null } };
}
