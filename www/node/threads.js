// Runs jobs on all cores for a module of WebAssembly, which calls and waits: hence no promise here.

import { availableParallelism } from 'node:os';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';

/** An interpreter leaves some megabytes behind when it ends; a thread that holds more than this is replaced by a new one. */
const BYTES_OF_A_THREAD = 400e6;

export class Threads {
  #module;
  #documents = [];
  #jobs = [];
  #threads = [];
  /** Counts outcomes, so that waiting for the next one misses none. */
  #signal = new Int32Array(new SharedArrayBuffer(4));

  constructor(module) {
    this.#module = module;
  }

  document(line) {
    this.#documents.push(line);
  }

  job(index, line) {
    this.#jobs.push({ index, line, document: this.#documents.at(-1) });
  }

  outcome() {
    for (;;) {
      this.#handOut();
      const seen = Atomics.load(this.#signal, 0);
      for (const thread of this.#threads) {
        const told = receiveMessageOnPort(thread.port);
        if (!told) continue;
        thread.busy = false;
        // What a trap leaves behind is not asked again.
        if (told.message.error || told.message.bytes > BYTES_OF_A_THREAD) this.#end(thread);
        return told.message;
      }
      Atomics.wait(this.#signal, 0, seen);
    }
  }

  end() {
    for (const thread of [...this.#threads]) this.#end(thread);
  }

  #handOut() {
    while (this.#jobs.length > 0) {
      let thread = this.#threads.find(({ busy }) => !busy);
      if (!thread && this.#threads.length < availableParallelism()) thread = this.#start();
      if (!thread) return;
      const { document, ...job } = this.#jobs.shift();
      thread.port.postMessage(thread.document === document ? job : { ...job, document });
      thread.document = document;
      thread.busy = true;
    }
  }

  #start() {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(new URL('thread.js', import.meta.url), {
      workerData: { module: this.#module, port: port2, signal: this.#signal },
      transferList: [port2],
    });
    const thread = { worker, port: port1, busy: false, document: undefined };
    this.#threads.push(thread);
    return thread;
  }

  #end(thread) {
    this.#threads.splice(this.#threads.indexOf(thread), 1);
    thread.port.close();
    thread.worker.terminate();
  }
}
