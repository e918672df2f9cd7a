// One engine for all embeds of an article. It is on a page of its own, which lends it to the embed that asked last;
// an embed has a port to that page, and on its side a thread like any other.

import type { Answer, Message } from '../core/protocol';
import type { Thread } from '../core/thread';

/** What an embed says. `claim`: it wants the engine now. `end`: whatever the engine does for it is to be ended. */
type ToEngine = 'claim' | 'end' | Message;
/** What it hears. `lent`: the engine is its own now. `taken`: another embed has it. `failed`: the engine did not start or stopped. */
type FromEngine = 'lent' | 'taken' | 'failed' | Answer;

/** No embed asks as often as that, so numbers from here on belong to the next one. */
const NUMBERS = 1_000_000_000;

/** The side of the page that owns the thread. */
export class SharedEngine {
  #newThread: () => Thread;
  #thread: Thread | null = null;
  #owner: MessagePort | null = null;
  /** Added to the numbers of the owner's asks, so that an answer to the owner before is known by its number. */
  #base = 0;
  /** The thread has taken leave of the owner before: its frames are the owner's. */
  #parted = true;
  /** The number of the begun run that the thread is still on its way into; it may take long. */
  #beginning: number | null = null;

  constructor(newThread: () => Thread) {
    this.#newThread = newThread;
  }

  connect(port: MessagePort) {
    port.onmessage = ({ data }: MessageEvent<ToEngine>) => {
      if (data === 'claim') this.#lend(port);
      else if (port !== this.#owner) return;
      else if (data === 'end') this.#end();
      else this.#pass(data);
    };
  }

  #lend(port: MessagePort) {
    if (this.#owner !== port) this.#owner?.postMessage('taken' satisfies FromEngine);
    this.#owner = port;
    this.#base += NUMBERS;
    // A run that somebody else began would have to be waited for: another thread is there sooner.
    if (this.#beginning !== null) this.#end();
    port.postMessage('lent' satisfies FromEngine);
    if (this.#thread) {
      // Its answer parts the frames of the run before from those of the next.
      this.#thread.postMessage({ id: this.#base, ask: { kind: 'pause' } });
      this.#parted = false;
    } else {
      this.#thread = this.#started();
      this.#parted = true;
    }
  }

  #started(): Thread {
    const thread = this.#newThread();
    thread.onmessage = ({ data }) => {
      if (thread === this.#thread) this.#hear(data);
    };
    thread.onerror = (event) => {
      event.preventDefault();
      if (thread !== this.#thread) return;
      this.#end();
      this.#owner?.postMessage('failed' satisfies FromEngine);
    };
    return thread;
  }

  #hear(answer: Answer) {
    if (!('id' in answer) || answer.id === 0) {
      if (this.#parted) this.#owner?.postMessage(answer satisfies FromEngine);
      else if ('frame' in answer) this.#thread?.postMessage('seen');
      return;
    }
    const id = answer.id - this.#base;
    if (id === 0) this.#parted = true;
    if (id <= 0) return;
    if (answer.id === this.#beginning) this.#beginning = null;
    this.#owner?.postMessage({ ...answer, id } satisfies FromEngine);
  }

  #pass(message: Message) {
    if (message === 'seen') {
      this.#thread?.postMessage(message);
      return;
    }
    const id = message.id + this.#base;
    if (message.ask.kind === 'run') this.#beginning = id;
    this.#thread?.postMessage({ ...message, id });
  }

  #end() {
    this.#thread?.terminate();
    this.#thread = null;
    this.#beginning = null;
  }
}

/** The embed's side: a thread for as long as nobody else asks for it. */
export function lentThread(port: MessagePort, taken: () => void): Thread {
  const thread: Thread = {
    onmessage: null,
    onerror: null,
    postMessage: (message) => port.postMessage(message satisfies ToEngine),
    terminate: () => {
      if (port.onmessage === hear) port.postMessage('end' satisfies ToEngine);
    },
  };
  // What was said before it was lent is of an earlier time.
  let lent = false;
  function hear({ data }: MessageEvent<FromEngine>) {
    if (data === 'lent') lent = true;
    else if (!lent) return;
    else if (data === 'taken') taken();
    else if (data === 'failed') thread.onerror?.(new Event('error'));
    else thread.onmessage?.(new MessageEvent('message', { data }));
  }
  port.onmessage = hear;
  port.postMessage('claim' satisfies ToEngine);
  return thread;
}
