// <backend-playground scenario="oversell"></backend-playground>: a still picture of what came out of a recorded run;
// tapped, the run itself in a frame of our pages. It runs on pages of others, so it asks for nothing that would need
// their or our leave: pictures by <img>, pages by <iframe>. What stands between the tags is for where no script runs.

import { onResize } from '../resize';
import { isLight } from './brightness';
import { fromFrame, isFrom, target, type ToFrame } from './messages';

/** Shapes of the still pictures. */
const NARROW_PX = 560;
/** A frame whose page has loaded and does not speak is not our page: the host or the network has put another there. */
const SILENT_MS = 3_000;

const ATTRIBUTES = ['scenario', 'variant', 'run', 'theme', 'site'];

const STYLE = `
  :host { display: block; position: relative; max-width: 100%; margin: 1.5em 0; font: 16px/1.5 system-ui, sans-serif; }
  :host([hidden]) { display: none; }
  .box { border-radius: 6px; overflow: hidden; background: light-dark(#fbf9f4, #0a0e16); color: light-dark(#1b1b1f, #dfe5ee); }
  button, a.picture { display: block; width: 100%; padding: 0; border: 0; background: none; color: inherit; font: inherit; text-align: start; cursor: pointer; }
  button[aria-busy] { opacity: .6; cursor: progress; }
  button:focus-visible, a:focus-visible { outline: 2px solid light-dark(#1b1b1f, #f7e4bb); outline-offset: -2px; border-radius: 6px; }
  img { display: block; width: 100%; height: auto; aspect-ratio: 720 / 400; }
  .narrow img { aspect-ratio: 360 / 500; }
  .bare { display: block; padding: 1.25rem; border: 1px solid light-dark(#e5e0d4, #1d2532); border-radius: 6px; }
  p { margin: 0; padding: .6rem 1rem; border: 1px solid light-dark(#e5e0d4, #1d2532); border-top: 0; border-radius: 0 0 6px 6px; font-size: .875rem; color: light-dark(#5d594f, #96a2b5); }
  p a { color: light-dark(#1b1b1f, #dfe5ee); }
  /* Over the picture until it is there: a frame without an area is not laid out, and could not tell its height. */
  iframe { display: block; position: absolute; inset: 0; width: 100%; height: 100%; border: 0; opacity: 0; pointer-events: none; }
  iframe.there { position: static; opacity: 1; pointer-events: auto; }
`;

type Site = URL;

/** Takes the name for our element, where it is free. */
export function define(site: Site) {
  if (!('customElements' in window) || !('replaceSync' in CSSStyleSheet.prototype) || customElements.get('backend-playground')) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  customElements.define('backend-playground', elementOf(site, sheet));
}

function elementOf(home: Site, sheet: CSSStyleSheet) {
  return class BackendPlayground extends HTMLElement {
    static observedAttributes = ATTRIBUTES;

    #root = this.attachShadow({ mode: 'open' });
    #frame: HTMLIFrameElement | null = null;
    #ends = new AbortController();

    connectedCallback() {
      this.#root.adoptedStyleSheets = [sheet];
      this.#begin();
    }

    disconnectedCallback() {
      this.#ends.abort();
    }

    attributeChangedCallback() {
      if (this.isConnected && this.#root.childElementCount > 0) this.#begin();
    }

    #said(name: string): string {
      return this.getAttribute(name)?.trim() ?? '';
    }

    get #site(): Site {
      try {
        return new URL(this.#said('site').replace(/\/?$/, '/'), home);
      } catch {
        return home;
      }
    }

    get #page(): string {
      return new URL(this.#said('scenario') ? `${this.#said('scenario')}.html` : './', this.#site).href;
    }

    /** Of a link to a run, what is behind the #. */
    get #run(): string {
      return this.#said('run').replace(/^.*#/, '');
    }

    #begin() {
      this.#ends.abort();
      this.#ends = new AbortController();
      this.#frame = null;
      this.#dress();
      const dress = () => this.#dress();
      const observer = new MutationObserver(dress);
      for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
      const preference = matchMedia('(prefers-color-scheme: dark)');
      preference.addEventListener('change', dress, { signal: this.#ends.signal });
      this.#ends.signal.addEventListener('abort', () => observer.disconnect());
      const fault = this.#fault();
      if (fault) this.#root.replaceChildren(this.#bare(fault));
      else this.#showStill();
    }

    /** What is wrong with the attributes, for whoever wrote them. */
    #fault(): string {
      const [scenario, variant] = [this.#said('scenario'), this.#said('variant')];
      if (!scenario && !this.#run) return 'This embed names no scenario: it needs an attribute scenario="…".';
      if (!/^[a-z0-9-]*$/.test(scenario)) return `“${scenario}” is not the name of a scenario.`;
      if (!/^[a-z0-9-]*$/.test(variant)) return `“${variant}” is not the name of a variant.`;
      if (this.#run && !/^v\d+\.[\w-]+$/.test(this.#run)) return 'The run of this embed is damaged: part of it is missing.';
      return '';
    }

    /** Light or dark as the text around it asks for, unless it is said; pictures and frames follow. */
    #dress() {
      const said = this.#said('theme');
      const theme = said === 'light' || said === 'dark' ? said : isLight(getComputedStyle(this.parentElement ?? this).color) ? 'dark' : 'light';
      if (theme === this.style.colorScheme) return;
      this.style.colorScheme = theme;
      this.#frame?.contentWindow?.postMessage({ twoam: 'theme', theme } satisfies ToFrame, target(this.#site.origin));
    }

    // The still picture

    #showStill() {
      const button = make('button');
      button.append(this.#picture(() => button.replaceChildren(this.#unpictured())));
      button.addEventListener('click', () => this.#open(button));
      const box = make('div', 'box');
      box.append(button);
      if (this.#run) box.append(make('p', '', 'This runs edited code. The picture shows the scenario as it was written.'));
      this.#root.replaceChildren(box);
    }

    #picture(missing: () => void): HTMLElement {
      const scenario = this.#said('scenario');
      const picture = make('img');
      picture.alt = `${this.#title()}. Run it here.`;
      picture.loading = 'lazy';
      picture.decoding = 'async';
      picture.addEventListener('error', missing);
      const fit = () => {
        const narrow = this.clientWidth < NARROW_PX;
        const source = new URL(`pictures/${scenario}${narrow ? '.narrow' : ''}.svg`, this.#site).href;
        this.#root.querySelector('.box')?.classList.toggle('narrow', narrow);
        if (this.clientWidth > 0 && picture.src !== source) picture.src = source;
      };
      this.#ends.signal.addEventListener('abort', onResize(this, fit));
      if (!scenario) missing();
      return picture;
    }

    /** What the author calls it: the picture between the tags, or the words. */
    #title(): string {
      const words = this.querySelector('img')?.alt || this.textContent?.trim() || `The scenario ${this.#said('scenario')}`;
      return words.replace(/\s+/g, ' ').replace(/\.$/, '');
    }

    #unpictured(): HTMLElement {
      const scenario = this.#said('scenario');
      return make('span', 'bare box', scenario ? `${this.#title()}. Run it here. (There is no picture of “${scenario}”: the name may be misspelt.)` : 'Run it here.');
    }

    #bare(words: string): HTMLElement {
      const box = make('div', 'box bare');
      box.append(`${words} `, this.#link());
      return box;
    }

    #link(): HTMLAnchorElement {
      const link = make('a', '', 'Open 2 AM');
      link.href = this.#run ? new URL(`#${this.#run}`, this.#site).href : this.#page;
      link.target = '_blank';
      link.rel = 'noopener';
      return link;
    }

    // The run

    #open(button: HTMLButtonElement) {
      if (this.#frame) return;
      const site = this.#site;
      const frame = make('iframe');
      this.#frame = frame;
      frame.title = `2 AM: ${this.#title()}`;
      frame.src = embedAddress(site, { scenario: this.#said('scenario'), variant: this.#said('variant'), run: this.#run, theme: this.style.colorScheme });
      const { signal } = this.#ends;
      let heard = false;
      const blocked = (why: string) => {
        if (!heard && !signal.aborted && this.#frame === frame) this.#showBlocked(why);
      };
      addEventListener(
        'message',
        (event) => {
          if (!isFrom(event, frame.contentWindow, site.origin)) return;
          const message = fromFrame(event.data);
          if (message?.twoam === 'hello') {
            heard = true;
            frame.contentWindow!.postMessage({ twoam: 'port' } satisfies ToFrame, target(site.origin), [enginePort(site)]);
          } else if (message?.twoam === 'size') {
            frame.style.height = `${message.height}px`;
            if (frame.classList.contains('there')) return;
            frame.classList.add('there');
            const focused = this.#root.activeElement === button;
            for (const child of this.#root.querySelectorAll('button, p')) child.remove();
            if (focused) frame.focus({ preventScroll: true });
          }
        },
        { signal },
      );
      document.addEventListener('securitypolicyviolation', ({ blockedURI }) => blockedURI.startsWith(site.origin) && blocked('This page does not let it run here.'), { signal });
      frame.addEventListener('load', () => setTimeout(() => blocked('It cannot run here: this page does not allow it, or 2 AM cannot be reached.'), SILENT_MS));
      button.setAttribute('aria-busy', 'true');
      button.closest('.box')!.append(frame);
    }

    #showBlocked(why: string) {
      this.#frame = null;
      const link = make('a', 'picture');
      const { href, target, rel } = this.#link();
      Object.assign(link, { href, target, rel });
      link.append(this.#picture(() => link.replaceChildren(this.#unpictured())));
      const said = make('p', '', `${why} `);
      said.append(this.#link());
      const box = make('div', 'box');
      box.append(link, said);
      this.#root.replaceChildren(box);
    }
  };
}

function make<K extends keyof HTMLElementTagNameMap>(name: K, classes = '', words = ''): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  if (classes) element.className = classes;
  if (words) element.textContent = words;
  return element;
}

function embedAddress(site: Site, said: { [name in string]: string }): string {
  const url = new URL('embed.html', site);
  const given = Object.entries({ ...said, host: location.origin }).filter(([, value]) => value);
  url.hash = new URLSearchParams(given).toString();
  return url.href;
}

// The engine that all embeds of the article share

const engines = new Map<string, (port: MessagePort) => void>();

function enginePort(site: Site): MessagePort {
  const { port1, port2 } = new MessageChannel();
  let hand = engines.get(site.href);
  if (!hand) engines.set(site.href, (hand = openEngine(site)));
  hand(port1);
  return port2;
}

/** Opens the engine's page out of sight; what is handed to it before it is there waits. */
function openEngine(site: Site): (port: MessagePort) => void {
  const frame = document.createElement('iframe');
  frame.src = Object.assign(new URL('engine.html', site), { hash: new URLSearchParams({ host: location.origin }).toString() }).href;
  frame.title = '2 AM: engine';
  // Where the host's style sheets do not reach.
  const place = document.createElement('div');
  place.style.display = 'none';
  place.attachShadow({ mode: 'open' }).append(frame);
  let waiting: MessagePort[] | null = [];
  const hand = (port: MessagePort) => frame.contentWindow!.postMessage({ twoam: 'port' } satisfies ToFrame, target(site.origin), [port]);
  addEventListener('message', (event) => {
    if (!isFrom(event, frame.contentWindow, site.origin) || fromFrame(event.data)?.twoam !== 'hello') return;
    waiting?.forEach(hand);
    waiting = null;
  });
  document.body.append(place);
  return (port) => (waiting ? waiting.push(port) : hand(port));
}
