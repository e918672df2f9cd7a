// A post on somebody else's site: another origin, an ordinary static host that sends no headers of its own.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export async function publish(body: string): Promise<{ address: string; close(): Promise<void> }> {
  const server = createServer((question, answer) => {
    if (question.url === '/') answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html><html lang="en"><head><title>A post</title></head><body>${body}</body></html>`);
    else answer.writeHead(question.url === '/favicon.ico' ? 204 : 404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // Another name for this machine than the site has: another site for the browser, too.
    address: `http://localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
