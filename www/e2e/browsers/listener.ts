// A proxy between a browser that tells nothing of its console or its network and the site: it hears every request,
// whatever its origin, and puts a script before all others into each page that reports what goes wrong there.

import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const REPORT = '/complaint-of-the-console';

/** Runs in the page. What it tells is sent before anything else happens, so that nothing is still on its way at the end. */
function tell(report: string) {
  const complain = (...words: unknown[]) => {
    const sending = new XMLHttpRequest();
    sending.open('POST', report, false);
    sending.send(words.map(String).join(' '));
  };
  for (const level of ['error', 'warn'] as const) {
    const shown = console[level];
    console[level] = (...words) => {
      complain(...words);
      shown.apply(console, words);
    };
  }
  addEventListener('error', ({ message, target }) => complain(message ?? `could not load ${(target as { src?: string }).src}`), true);
  addEventListener('unhandledrejection', ({ reason }) => complain(reason));
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => complain(`${violatedDirective} forbids ${blockedURI}`));
}

export class Listener {
  readonly complaints: string[] = [];
  readonly #origins: string[];
  readonly #server: Server;

  private constructor(origins: string[]) {
    this.#origins = origins;
    this.#server = createServer((question, answer) => this.#pass(question, answer));
    // Anything encrypted is not ours.
    this.#server.on('connect', ({ url }, socket) => {
      this.complaints.push(`asked ${url}`);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
  }

  static async start(origins: string[]): Promise<Listener> {
    const listener = new Listener(origins);
    listener.#server.listen(0, '127.0.0.1');
    await once(listener.#server, 'listening');
    return listener;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #pass(question: IncomingMessage, answer: ServerResponse) {
    const address = new URL(question.url!);
    if (address.pathname === REPORT) {
      const words = await question.toArray();
      this.complaints.push(Buffer.concat(words).toString());
      answer.writeHead(204).end();
      return;
    }
    if (!this.#origins.includes(address.origin)) {
      this.complaints.push(`asked ${address.href}`);
      answer.writeHead(502).end();
      return;
    }
    const passed = request(address, { method: question.method, headers: { ...question.headers, 'accept-encoding': 'identity' } });
    passed.on('error', () => answer.destroy());
    passed.on('response', async (reply) => {
      if (!reply.headers['content-type']?.startsWith('text/html')) {
        answer.writeHead(reply.statusCode!, reply.headers);
        reply.pipe(answer);
        return;
      }
      const html = Buffer.concat(await reply.toArray()).toString();
      const { 'content-length': _, ...headers } = reply.headers;
      answer.writeHead(reply.statusCode!, headers).end(html.replace(/<head>|(?=<title>)/, (start) => `${start}<script>(${tell})('${REPORT}')</script>`));
    });
    question.pipe(passed);
  }
}
