// Copies a site and puts beside each file what travels of it, by brotli at its highest level, as a careful web host sends it.
// `node compress.mjs SITE COPY` prints the sizes.

import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';

const [site, copy] = process.argv.slice(2);
rmSync(copy, { recursive: true, force: true });
cpSync(site, copy, { recursive: true });

const files = readdirSync(copy, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();
const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
const compressed = await Promise.all(files.map((file) => promisify(brotliCompress)(readFileSync(file), { params })));

const row = (bytes, what) => console.log(`${String(bytes).padStart(10)}  ${what}`);
for (const [place, file] of files.entries()) {
  writeFileSync(`${file}.br`, compressed[place]);
  row(compressed[place].length, relative(copy, file));
}
row(compressed.reduce((sum, bytes) => sum + bytes.length, 0), 'in all');
