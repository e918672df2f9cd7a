// The engine with the command line in it, beside this file: made by `cargo xtask`.

import { readFileSync } from 'node:fs';
import { command_line, initSync, work } from './engine/twoam.js';

export { command_line, work };

/** Compiled once; every thread has an instance of its own. */
export const compiled = () => new WebAssembly.Module(readFileSync(new URL('engine/twoam_bg.wasm', import.meta.url)));

/** Returns the instance's memory. */
export const start = (module) => initSync({ module }).memory;
