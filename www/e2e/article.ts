// An article on an origin of its own, with nothing but what its author wrote and the headers its host sends.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Article {
  address: string;
  close(): Promise<void>;
}

/** Another name for this machine than the site has, so that the article is on another site for the browser, too. */
export async function article(body: string, headers: { [name in string]: string } = {}): Promise<Article> {
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A post</title><link rel="icon" href="data:,">
<style>body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1.1rem/1.6 Georgia,serif;background:#fff;color:#222}body.night{background:#111;color:#ddd}iframe{height:20px;border:9px solid red}</style>
<h1>We sold what we did not have</h1><p>Here is the code that did it.</p>
${body}
<p>And so on.</p></html>`;
  const server = createServer((request, response) => {
    const found = request.url === '/';
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/html', ...headers });
    response.end(found ? page : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `http://localhost:${port}/`, close: () => new Promise((resolve) => void server.close(() => resolve())) };
}

export function tag(site: string, scenario: string, attributes = ''): string {
  return `<backend-playground scenario="${scenario}" ${attributes}><a href="${site}${scenario}.html"><img src="${site}pictures/${scenario}.svg" alt="The code of ${scenario}" width="720" height="400" loading="lazy"></a></backend-playground>`;
}

export function script(site: string): string {
  return `<script async src="${site}embed.js"></script>`;
}
