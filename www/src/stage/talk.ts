// What passes between the page on the projector and the speaker's own window: the talk as it stands, and the keys that were pressed.

import type { Intent } from '../keys';

const CHANNEL = 'twoam.talk';

export interface TalkStatus {
  title: string;
  sentences: string[];
  /** For the speaker alone, of each beat; empty: none. */
  notes: string[];
  /** What each beat does to the run, in words; empty: nothing. */
  actions: string[];
  /** -1: before the first. */
  beat: number;
  playing: boolean;
  moment: string;
  /** `Naive, Production`. */
  corner: string;
  numbers: { label: string; text: string; broken: boolean }[];
}

type Message = { kind: 'talk'; talk: TalkStatus | null } | { kind: 'intent'; intent: Intent } | { kind: 'hello' };

/** The projector's end: tells the talk to whoever asks, and hears keys. */
export function onStage(heard: (intent: Intent) => void, now: () => TalkStatus | null) {
  const channel = new BroadcastChannel(CHANNEL);
  const tell = () => channel.postMessage({ kind: 'talk', talk: now() } satisfies Message);
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.kind === 'hello') tell();
    else if (data.kind === 'intent') heard(data.intent);
  };
  return { tell, close: () => channel.close() };
}

/** The speaker's end. */
export function behindStage(told: (talk: TalkStatus | null) => void) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.kind === 'talk') told(data.talk);
  };
  channel.postMessage({ kind: 'hello' } satisfies Message);
  return {
    send: (intent: Intent) => channel.postMessage({ kind: 'intent', intent } satisfies Message),
    close: () => channel.close(),
  };
}
