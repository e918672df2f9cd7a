#!/usr/bin/env node
// The program of the npm package: serves the playground, and runs the command line as WebAssembly.

const NEEDED = 20;

if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  console.error(`error: this is Node.js ${process.versions.node}; 2 AM needs version ${NEEDED} or newer, from https://nodejs.org`);
  process.exit(1);
}

import('./command-line.js').then(({ main }) => main(process.argv.slice(2)));
