// Scripts that `write` wrote, in the page's engine: `node tests/fuzz/page.mjs www/pkg scripts.jsonl`. A trap ends an instance, as it
// ends the page's worker; the next script begins with another. What takes longer than a minute counts as a hang.

import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, file] = process.argv.slice(2);
const bytes = readFileSync(resolve(folder, 'twoam_bg.wasm'));
const SESSIONS = 3;
const MEMORY_MOST = 512 * 2 ** 20;
/** A browser's worker starts an instance anew when it has grown; so does this. */
const SCRIPTS_AN_INSTANCE = 50;
const SLOW_MS = 60_000;

globalThis.DedicatedWorkerGlobalScope ??= class {};
let instances = 0;

/** The module keeps one instance; another query makes another module. */
async function started() {
  const engine = await import(`${pathToFileURL(resolve(folder, 'twoam.js'))}?instance=${instances++}`);
  const exports = await engine.default({ module_or_path: bytes });
  return { engine, memory: exports.memory };
}

let instance = await started();
let schema = null;
let statements = 0;
let scripts = 0;
let largest = 0;
let slowest = { ms: 0, of: '' };
const failures = [];

for await (const line of createInterface({ input: createReadStream(file) })) {
  if (schema === null) {
    schema = JSON.parse(line);
    continue;
  }
  const script = JSON.parse(line);
  if (scripts++ % SCRIPTS_AN_INSTANCE === SCRIPTS_AN_INSTANCE - 1) instance = await started();
  let sql = schema;
  const began = performance.now();
  try {
    const console = new instance.engine.SqlConsole(schema, SESSIONS, 0);
    for (const [session, text] of script.statements) {
      sql = text;
      // What it still waits for, if anything.
      console.cancel(session, statements);
      const at = performance.now();
      console.execute(session, text, statements);
      const ms = performance.now() - at;
      if (ms > slowest.ms) slowest = { ms, of: `seed ${script.seed}: ${text.slice(0, 300)}` };
      statements += 1;
    }
    console.free();
  } catch (error) {
    failures.push(`seed ${script.seed}: ${error}\n  ${sql.slice(0, 600)}`);
    instance = await started();
  }
  const size = instance.memory.buffer.byteLength;
  largest = Math.max(largest, size);
  if (size > MEMORY_MOST) failures.push(`seed ${script.seed}: ${size >> 20} MB`);
  if (performance.now() - began > SLOW_MS) failures.push(`seed ${script.seed}: took ${Math.round(performance.now() - began)} ms`);
}

for (const failure of failures) process.stdout.write(`${failure}\n`);
process.stdout.write(
  `${scripts} scripts, ${statements} statements, ${failures.length} failed, memory up to ${largest >> 20} MB, slowest ${Math.round(slowest.ms)} ms: ${slowest.of}\n`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
