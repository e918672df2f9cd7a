// Where the engine runs: a thread that the page starts for itself, or one that somebody else has started and lends.

import type { Answer, Message } from './protocol';

export interface Thread {
  onmessage: ((event: MessageEvent<Answer>) => void) | null;
  onerror: ((event: Event) => void) | null;
  postMessage(message: Message): void;
  terminate(): void;
}

export function ownThread(): Thread {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const thread: Thread = {
    onmessage: null,
    onerror: null,
    postMessage: (message) => worker.postMessage(message),
    terminate: () => worker.terminate(),
  };
  worker.onmessage = (event: MessageEvent<Answer>) => thread.onmessage?.(event);
  worker.onerror = (event) => thread.onerror?.(event);
  return thread;
}
