// What the command line asks of Node: files, the terminal, threads.

import { mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { command_line, compiled, start } from './engine.js';
import { serve } from './serve.js';
import { Threads } from './threads.js';

const HOME = fileURLToPath(new URL('../../', import.meta.url));
const BAR = 32;

export async function main(arguments_) {
  const module = compiled();
  start(module);
  const threads = new Threads(module);
  const host = new Host(threads);
  // Whoever asks for nothing wants to see it.
  const asked = arguments_.length === 0 ? ['serve'] : arguments_;
  let code;
  try {
    code = command_line(asked, host);
  } catch (error) {
    host.complain(`error: the engine has ended (${error.message})\n`);
    code = 1;
  }
  threads.end();
  process.exitCode = code;
  if (host.port === undefined) return;
  try {
    console.log(`2 AM is served at ${await serve(join(HOME, 'dist'), host.port)}  (stop with Ctrl-C)`);
  } catch (error) {
    host.complain(`error: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** The Rust side of it, with what each method is for, is `Host` in src/cli/node.rs. */
class Host {
  #threads;
  port;

  constructor(threads) {
    this.#threads = threads;
  }

  print(text) {
    put(1, text);
  }

  complain(text) {
    put(2, text);
  }

  columns() {
    return isatty(1) ? process.stdout.columns : undefined;
  }

  progress(what, done, steps) {
    if (!isatty(2)) return;
    const full = Math.round((BAR * done) / steps);
    put(2, steps === 0 ? '\r\x1b[K' : `\r\x1b[K${what} ${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${done}/${steps}`);
  }

  home() {
    return slashed(HOME);
  }

  read(path) {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  }

  write(path, text) {
    writeFileSync(path, text);
  }

  makeFolder(path) {
    mkdirSync(path, { recursive: true });
  }

  realPath(path) {
    return slashed(realpathSync(path));
  }

  entries(folder) {
    return readdirSync(folder).sort().map((name) => slashed(join(folder, name)));
  }

  kindOf(path) {
    try {
      const found = statSync(path);
      if (found.isFile()) return 'file';
      return found.isDirectory() ? 'folder' : undefined;
    } catch {
      return undefined;
    }
  }

  document(line) {
    this.#threads.document(line);
  }

  job(index, line) {
    this.#threads.job(index, line);
  }

  outcome() {
    return this.#threads.outcome();
  }

  serve(port) {
    this.port = port;
  }
}

/** Rust's paths have slashes on every system. */
function slashed(path) {
  return process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
}

/** Writes all of it now: the module that prints does not come back to the event loop. */
function put(file, text) {
  let bytes = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(file, bytes));
    } catch (error) {
      // A pipe that is full is tried again; one that nobody reads any more ends the program, as it ends others.
      if (error.code === 'EPIPE') process.exit(141);
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}
