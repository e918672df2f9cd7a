// A static server for the built site: what any web host would do, on this machine.
// `node serve.js FOLDER PORT [--brotli]` prints its address and ends with its stdin; `--brotli` sends the files NAME.br that lie beside.

import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';

/** Gives the address. Every file is read when it is asked for, so that a new build is served without a restart. */
export async function serve(folder, port, { brotli = false } = {}) {
  if (!existsSync(join(folder, 'index.html')) && !existsSync(join(folder, 'twoam.js'))) {
    throw new Error(`${folder} holds no site: build it first with \`cargo xtask build\``);
  }
  const files = sirv(folder, { dev: true, etag: true, brotli });
  const server = createServer((request, response) => files(request, response));
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  }).catch((error) => {
    const why = error.code === 'EADDRINUSE' ? 'another program listens there' : error.message;
    throw new Error(`could not listen on port ${port}: ${why}. Choose another with --port.`);
  });
  return `http://127.0.0.1:${server.address().port}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, port, brotli] = process.argv.slice(2);
  try {
    console.log(await serve(folder, Number(port), { brotli: brotli === '--brotli' }));
    process.stdin.resume().on('end', () => process.exit());
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exit(1);
  }
}
