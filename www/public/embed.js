// <backend-playground scenario="oversell"></backend-playground>, from one script of type module.
// A still picture of a recorded run until it is tapped; then the playground itself, in a frame. What stands between
// the tags stays for readers without scripts and for feeds.

const BASE = new URL('./', import.meta.url);

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  :host { display: block; position: relative; max-width: 100%; }
  button { display: block; width: 100%; padding: 0; border: 0; background: none; cursor: pointer; }
  button:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
  img { display: block; width: 100%; height: auto; aspect-ratio: 720 / 380; }
  @media (max-width: 560px) { img { aspect-ratio: 360 / 440; } }
  iframe { display: block; width: 100%; height: min(46rem, 90vh); border: 0; }
`);

class BackendPlayground extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const scenario = (this.getAttribute('scenario') ?? 'oversell').replace(/[^a-z0-9-]/g, '');
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    const button = document.createElement('button');
    const picture = document.createElement('picture');
    const narrow = document.createElement('source');
    narrow.media = '(max-width: 560px)';
    narrow.srcset = new URL(`pictures/${scenario}.narrow.svg`, BASE).href;
    const image = document.createElement('img');
    image.src = new URL(`pictures/${scenario}.svg`, BASE).href;
    image.alt = `${this.textContent.trim() || `The scenario ${scenario}`}. Run it here.`;
    image.loading = 'lazy';
    picture.append(narrow, image);
    button.append(picture);
    button.addEventListener('click', () => {
      const frame = document.createElement('iframe');
      frame.src = new URL(`#${scenario}`, BASE).href;
      frame.title = `2 AM: ${scenario}`;
      frame.allow = 'clipboard-write';
      button.replaceWith(frame);
      frame.focus();
    });
    root.append(button);
  }
}

customElements.define('backend-playground', BackendPlayground);
