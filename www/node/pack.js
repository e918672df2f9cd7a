// Makes the npm package from what `cargo xtask build` left: `node pack.js FOLDER` writes FOLDER/twoam-VERSION.tgz.
// Its files lie as in the project, so that programs find each other in both; what it depends on is inside.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MODULES = join(ROOT, 'www/node_modules');
const PROGRAMS = ['twoam', 'command-line', 'engine', 'serve', 'thread', 'threads'].map((name) => `www/node/${name}.js`);
const ENGINE = ['www/node/engine/twoam.js', 'www/node/engine/twoam_bg.wasm'];
const FILES = [...PROGRAMS, ...ENGINE, 'dist', 'scenarios', 'README.md', 'LICENSE-APACHE', 'LICENSE-MIT'];

/** A dependency and all that it depends on. */
function withDependencies(name) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(MODULES, name, 'package.json'), 'utf8'));
  return [name, ...Object.keys(dependencies).flatMap(withDependencies)];
}

const manifest = readFileSync(join(ROOT, 'Cargo.toml'), 'utf8');
const field = (name) => new RegExp(`^${name} = "(.*)"$`, 'm').exec(manifest)[1];
const version = JSON.parse(readFileSync(join(MODULES, 'sirv/package.json'), 'utf8')).version;

const [folder] = process.argv.slice(2);
const staged = join(folder, 'package');
rmSync(staged, { recursive: true, force: true });
mkdirSync(staged, { recursive: true });
for (const file of FILES) cpSync(join(ROOT, file), join(staged, file), { recursive: true });
for (const name of withDependencies('sirv')) cpSync(join(MODULES, name), join(staged, 'node_modules', name), { recursive: true });
writeFileSync(
  join(staged, 'package.json'),
  JSON.stringify(
    {
      name: field('name'),
      version: field('version'),
      description: field('description'),
      license: '(MIT OR Apache-2.0)',
      type: 'module',
      bin: { twoam: 'www/node/twoam.js' },
      // The web component: `import 'twoam/embed.js'` in a page that serves the folder of the site.
      exports: { './embed.js': './dist/embed.js', './dist/*': './dist/*', './package.json': './package.json' },
      engines: { node: '>=20' },
      files: ['www', 'dist', 'scenarios'],
      dependencies: { sirv: version },
      bundleDependencies: ['sirv'],
    },
    null,
    2,
  ),
);
execFileSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['pack', '--silent', '--pack-destination', folder, staged], {
  stdio: ['ignore', 'ignore', 'inherit'],
  shell: process.platform === 'win32',
});
