// Writes the page's data, documents and recorded runs, with the engine that was just built. A scenario is recorded anew only if something
// its recording depends on has changed: the engine, its folder, what was observed of it.
// `node documents.js FOLDER KEPT` is what `cargo xtask build` runs. KEPT is a file that says what the files were made from and what came out,
// so that one that was changed or lost is noticed too.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const SCENARIOS = here('../../scenarios');
const OBSERVED = here('../../reality/observed.json');

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${basename(file)}\0`).update(existsSync(file) ? readFileSync(file) : 'missing').update('\0');
  return hash.digest('hex');
}

const scenarios = readdirSync(SCENARIOS, { withFileTypes: true }).filter((it) => it.isDirectory()).map(({ name }) => name);
const sources = (id) => readdirSync(join(SCENARIOS, id)).sort().map((name) => join(SCENARIOS, id, name));
const outputs = (folder, id) => ['scenarios', 'recordings'].map((kind) => join(folder, kind, `${id}.json`));
const common = (folder) => [join(folder, 'scenarios/index.json'), join(folder, 'reality.json')];

/** By scenario: what it is made from; and for those that lie there, what was made. */
function state(folder) {
  const engine = digest([here('engine/twoam_bg.wasm'), OBSERVED]);
  const made = scenarios.map((id) => [id, `${engine} ${digest(sources(id))} ${digest(outputs(folder, id))}`]);
  return { ...Object.fromEntries(made), 'index.json': digest(common(folder)) };
}

const [folder, file] = process.argv.slice(2);
const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
const now = state(folder);
const stale = scenarios.filter((id) => kept[id] !== now[id]);
const gone = Object.keys(kept).filter((id) => !(id in now));

if (stale.length > 0 || gone.length > 0 || kept['index.json'] !== now['index.json']) {
  for (const path of gone.flatMap((id) => outputs(folder, id))) rmSync(path, { force: true });
  const only = stale.length > 0 ? stale : scenarios.slice(0, 1);
  const asked = [here('twoam.js'), 'export', folder, '--observed', OBSERVED, '--only', only.join(',')];
  const { status, error } = spawnSync(process.execPath, asked, { stdio: 'inherit' });
  if (error) console.error(`error: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(file, JSON.stringify(state(folder), null, 2));
}
