// The npm package as somebody gets it: TARBALL, installed without a registry, beside the native command line, TWOAM.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const { TARBALL, TWOAM } = process.env;
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'twoam-package-'));
const installed = join(folder, 'node_modules/twoam');

before(() => {
  writeFileSync(join(folder, 'package.json'), '{}');
  const nowhere = ['--offline', '--registry', 'http://127.0.0.1:9', '--no-audit', '--no-fund'];
  const { status, stderr } = spawnSync('npm', ['install', ...nowhere, TARBALL], { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

after(() => rmSync(folder, { recursive: true, force: true }));

const run = (program, args) => {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 });
  return { status, stdout, stderr };
};
const packed = (...args) => run(join(folder, 'node_modules/.bin/twoam'), args);
const native = (...args) => run(TWOAM, args);

const SAME = [
  ['list'],
  ['run', 'oversell', '--until', '5s'],
  ['run', 'oversell', '--variant', 'hardened', '--seed', '7', '--set', 'units=50', '--at', '1s:fault=nothing:on'],
  ['run', 'money', '--at', '1s:variant=hardened', '--until', '3s', '--json'],
  ['compare', 'deadlock', '--until', '3s'],
  ['check', 'oversell', '--static-only'],
  ['check', 'oversell', '--seeds', '1'],
  ['run', 'nothing'],
  ['run', 'oversell', '--until', 'soon'],
  ['run', 'oversell', '--handler', 'missing.py'],
  ['check', 'no-folder'],
  ['isolation', 'missing.spec'],
  ['compaer', 'oversell'],
  ['run', '--help'],
];

for (const args of SAME) {
  test(`\`twoam ${args.join(' ')}\` says what the native program says`, () => {
    assert.deepEqual(packed(...args), native(...args));
  });
}

test('a folder of one\'s own is checked, and each mistake is told where it is', () => {
  cpSync(join(ROOT, 'scenarios/oversell'), join(folder, 'mine'), { recursive: true });
  assert.deepEqual(packed('check', 'mine', '--static-only'), native('check', 'mine', '--static-only'));
  const manifest = join(folder, 'mine/scenario.toml');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('theme = "races"', 'theme = "horses"'));
  writeFileSync(join(folder, 'mine/unused.txt'), 'x');
  const told = packed('check', 'mine', '--static-only');
  assert.deepEqual(told, native('check', 'mine', '--static-only'));
  assert.equal(told.status, 1);
  assert.match(told.stderr, /mine\/scenario\.toml:\d+: `theme`: `horses` is not known/);
  assert.match(told.stderr, /mine\/unused\.txt: nothing uses this file/);
});

test('files are written as the native program writes them', () => {
  const spec = ['reproduce', 'oversell', '--pytest'];
  assert.deepEqual(packed(...spec, 'here.py'), native(...spec, 'there.py'));
  assert.equal(readFileSync(join(folder, 'here.py'), 'utf8'), readFileSync(join(folder, 'there.py'), 'utf8'));
});

test('what needs a real server is refused by name', () => {
  const { status, stderr } = packed('run', 'oversell', '--engine', 'postgres');
  assert.equal(status, 2);
  assert.match(stderr, /cannot drive a real server/);
});

test('an old Node is told, not run into', () => {
  const old = join(folder, 'old.cjs');
  writeFileSync(old, "Object.defineProperty(process, 'versions', { value: { node: '18.19.0' } });");
  const { status, stderr } = run(process.execPath, ['--require', old, join(installed, 'www/node/twoam.js'), 'list']);
  assert.equal(status, 1);
  assert.match(stderr, /this is Node\.js 18\.19\.0; 2 AM needs version 20 or newer/);
});

test('without a command it serves the page, and a taken port is told', async () => {
  const server = spawn(join(folder, 'node_modules/.bin/twoam'), ['serve', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const line = await new Promise((resolve) => server.stdout.once('data', (data) => resolve(String(data))));
    const [address, port] = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line);
    const page = await fetch(address);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<title>/);
    const assets = readdirSync(join(installed, 'dist/assets'));
    const engine = await fetch(`${address}/assets/${assets.find((name) => name.endsWith('.wasm'))}`);
    assert.equal(engine.headers.get('content-type'), 'application/wasm');
    const second = packed('serve', '--port', port);
    assert.equal(second.status, 1);
    assert.match(second.stderr, new RegExp(`could not listen on port ${port}: another program listens there`));
  } finally {
    server.kill();
  }
});

test('the web component is found by its name', () => {
  const found = createRequire(join(folder, 'package.json')).resolve('twoam/embed.js');
  assert.equal(readFileSync(found, 'utf8'), readFileSync(join(ROOT, 'dist/embed.js'), 'utf8'));
});
