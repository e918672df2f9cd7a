// The page's data, written by the engine under Node, beside what the native command line wrote into www/public.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PUBLIC = here('../../public');
const folder = mkdtempSync(join(tmpdir(), 'twoam-documents-'));
const kept = join(folder, 'kept.json');
const data = join(folder, 'data');
const SCENARIOS = readdirSync(here('../../../scenarios'), { withFileTypes: true }).filter((it) => it.isDirectory()).map(({ name }) => name);
const FILES = ['reality.json', 'scenarios/index.json', ...SCENARIOS.flatMap((id) => [`scenarios/${id}.json`, `recordings/${id}.json`])];

const write = () => execFileSync(process.execPath, [here('../documents.js'), data, kept], { stdio: 'inherit' });
const times = () => Object.fromEntries(FILES.map((file) => [file, statSync(join(data, file)).mtimeMs]));
/** Which files are written anew by what `work` calls for, but for those that are cheap. */
function written(work) {
  const earlier = times();
  work();
  write();
  const later = times();
  return FILES.filter((file) => later[file] !== earlier[file]).filter((file) => file.startsWith('recordings/'));
}

before(write);
after(() => rmSync(folder, { recursive: true, force: true }));

test('are the same, byte for byte, as the native ones', () => {
  const differ = FILES.filter((file) => !readFileSync(join(data, file)).equals(readFileSync(join(PUBLIC, file))));
  assert.deepEqual(differ, []);
});

test('are left alone as long as nothing has changed', () => {
  assert.deepEqual(written(() => {}), []);
});

test('are written anew where one was changed or lost', () => {
  const right = readFileSync(join(data, 'recordings/deadlock.json'));
  const change = () => {
    writeFileSync(join(data, 'recordings/deadlock.json'), right.subarray(0, 100));
    rmSync(join(data, 'scenarios/money.json'));
  };
  assert.deepEqual(written(change), ['recordings/deadlock.json', 'recordings/money.json']);
  assert.ok(readFileSync(join(data, 'recordings/deadlock.json')).equals(right));
});

test('are written anew where they were made from something else', () => {
  const stale = () => {
    const state = JSON.parse(readFileSync(kept, 'utf8'));
    state.saga = state.saga.replace(/ \w+ /, ' an-older-folder ');
    writeFileSync(kept, JSON.stringify(state));
  };
  assert.deepEqual(written(stale), ['recordings/saga.json']);
});

test('of a scenario that is gone go too', () => {
  const state = JSON.parse(readFileSync(kept, 'utf8'));
  writeFileSync(kept, JSON.stringify({ ...state, 'an-old-one': 'x' }));
  writeFileSync(join(data, 'recordings/an-old-one.json'), '{}');
  write();
  assert.ok(!readdirSync(join(data, 'recordings')).includes('an-old-one.json'));
});
