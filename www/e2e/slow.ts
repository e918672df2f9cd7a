// The site over a line that brings as much of the engine as a test lets through.

import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class SlowLine {
  readonly #server;
  #engine: Buffer | null = null;
  #answer: ServerResponse | null = null;
  #share = 0;
  #sent = 0;

  private constructor(site: string) {
    this.#server = createServer(async (question, answer) => {
      const passed = request(new URL(question.url!, site), { method: question.method, headers: { ...question.headers, 'accept-encoding': 'identity' } });
      passed.end();
      const [reply] = await once(passed, 'response');
      answer.writeHead(reply.statusCode, reply.headers);
      if (!question.url!.endsWith('.wasm')) {
        reply.pipe(answer);
        return;
      }
      this.#engine = Buffer.concat(await reply.toArray());
      this.#answer = answer;
      this.#flush();
    });
  }

  static async start(site: string): Promise<SlowLine> {
    const line = new SlowLine(site);
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Lets through that share of the engine. */
  bring(share: number) {
    this.#share = share;
    this.#flush();
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #flush() {
    if (!this.#engine || !this.#answer) return;
    // Never less than the share: the page tells whole per cents that have come.
    const until = Math.ceil(this.#engine.length * this.#share);
    this.#answer.write(this.#engine.subarray(this.#sent, until));
    this.#sent = until;
    if (this.#share === 1) this.#answer.end();
  }
}
