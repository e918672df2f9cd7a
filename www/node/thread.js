// A thread that runs jobs for the command line: lines in, for each job one outcome out.

import { workerData } from 'node:worker_threads';
import { start, work } from './engine.js';

const { module, port, signal } = workerData;
const memory = start(module);

port.on('message', ({ document, index, line }) => {
  const outcome = { index };
  try {
    if (document) work(document);
    outcome.line = work(line);
  } catch (error) {
    outcome.error = error.message;
  }
  outcome.bytes = memory.buffer.byteLength;
  port.postMessage(outcome);
  Atomics.add(signal, 0, 1);
  Atomics.notify(signal, 0);
});
