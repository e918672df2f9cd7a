// WebKitGTK's MiniBrowser in a virtual display, over plain WebDriver.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { Listener } from './listener';
import type { Browser, Element, Frame, Page } from './tab';

/** The key under which WebDriver names an element. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
const CONTROL = '\ue009';
const SCRIPT_MS = 120_000;

type Reference = { [ELEMENT]: string };

export async function launch(driver: string, binary: string): Promise<Browser> {
  const display = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const without = once(display, 'exit').then(() => Promise.reject(new Error('Xvfb ended before it had a display.')));
  const [number] = await Promise.race([once(createInterface(display.stdout!), 'line'), without]);
  // The hardest locale there is: the browser calls its language “C”, which its own Intl refuses.
  const env = { ...process.env, DISPLAY: `:${number}`, LANG: 'C.UTF-8', LC_ALL: '' };
  return {
    // A driver whose browser was busy to its last moment may not survive it: each page has one of its own.
    async open(origins) {
      const port = await freePort();
      const driving = spawn(driver, [`--port=${port}`], { env, stdio: 'ignore' });
      const address = `http://127.0.0.1:${port}`;
      try {
        await answering(address, driving);
        return await open(address, binary, origins, () => ended(driving));
      } catch (error) {
        await ended(driving);
        throw error;
      }
    },
    close: () => ended(display),
  };
}

async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const end = once(process, 'exit');
  process.kill();
  await end;
}

async function open(driver: string, binary: string, origins: string[], end: () => Promise<void>): Promise<Page> {
  const listener = await Listener.start(origins);
  // The proxy of WebDriver's own capabilities is not asked for anything encrypted.
  const options = { binary, args: ['--automation', `--proxy=http://${listener.address}`] };
  const { sessionId } = await command<{ sessionId: string }>(`${driver}/session`, {
    capabilities: { alwaysMatch: { browserName: 'MiniBrowser', timeouts: { script: SCRIPT_MS }, 'webkitgtk:browserOptions': options } },
  });
  const session = new Session(`${driver}/session/${sessionId}`);
  await session.post('window/rect', { width: 1280, height: 860 });
  return {
    frame: new DriverFrame(session, []),
    selectAll: () => session.keys([{ type: 'keyDown', value: CONTROL }, ...pressed('a'), { type: 'keyUp', value: CONTROL }]),
    type: (text) => session.keys([...text].flatMap(pressed)),
    complaints: async () => listener.complaints,
    async close() {
      await session.end();
      await end();
      await listener.close();
    },
  };
}

function pressed(value: string) {
  return [
    { type: 'keyDown', value } as const,
    { type: 'keyUp', value } as const,
  ];
}

/** Commands go to the frame that was chosen last. */
class Session {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  post<R>(path: string, body: object): Promise<R> {
    return command(`${this.#address}/${path}`, body);
  }

  end(): Promise<unknown> {
    return command(this.#address, undefined, 'DELETE');
  }

  /** Keys go where the focus is. */
  async keys(actions: { type: 'keyDown' | 'keyUp'; value: string }[]) {
    await this.post('actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }
}

class DriverFrame implements Frame {
  readonly #session: Session;
  readonly #path: Reference[];

  constructor(session: Session, path: Reference[]) {
    this.#session = session;
    this.#path = path;
  }

  goto(url: string) {
    return this.#session.post('url', { url });
  }

  async evaluate<A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R> {
    await this.#enter();
    const script = `const [argument, done] = arguments;
Promise.resolve(argument).then(${run}).then((value) => done([value]), (error) => done([null, String(error?.message ?? error)]));`;
    const [value, failure] = await this.#session.post<[R, string?]>('execute/async', { script, args: [argument ?? null] });
    if (failure !== undefined) throw new Error(failure);
    return value;
  }

  async evaluateHandle<A>(run: (argument: A) => unknown, argument: A) {
    const reference = (await this.evaluate(run, argument)) as Reference | null;
    return { asElement: () => reference && this.#element(reference) };
  }

  #element(reference: Reference): Element {
    return {
      click: async () => {
        await this.#enter();
        await this.#session.post(`element/${reference[ELEMENT]}/click`, {});
      },
      contentFrame: async () => new DriverFrame(this.#session, [...this.#path, reference]),
    };
  }

  async #enter() {
    await this.#session.post('frame', { id: null });
    for (const id of this.#path) await this.#session.post('frame', { id });
  }
}

async function command<R>(address: string, body?: object, method = body ? 'POST' : 'GET'): Promise<R> {
  const response = await fetch(address, { method, body: body && JSON.stringify(body) });
  const { value } = (await response.json()) as { value: R };
  if (!response.ok) {
    const { error, message } = value as { error: string; message: string };
    throw new Error(`${method} ${new URL(address).pathname}: ${error}. ${message}`);
  }
  return value;
}

/** The driver does not say when it has begun to listen, so it is asked until it answers or ends. */
async function answering(address: string, driver: ChildProcess) {
  while (driver.exitCode === null) {
    const ready = await fetch(`${address}/status`).then(({ ok }) => ok, () => false);
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`WebKitWebDriver ended with ${driver.exitCode} before it answered.`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
