// The theme's colours for what is painted on a canvas. They are read from the style sheet, so that it stays the only
// place that names a colour.

export type Colour = 'ground' | 'raised' | 'line' | 'edge' | 'ink' | 'soft' | 'lamp' | 'holds' | 'broken' | 'waiting' | 'fault' | 'deploy' | 'syntax';

export type Colours = { [name in Colour]: string };

const NAMES: Colour[] = ['ground', 'raised', 'line', 'edge', 'ink', 'soft', 'lamp', 'holds', 'broken', 'waiting', 'fault', 'deploy', 'syntax'];

const LIGHT = '(prefers-color-scheme: light)';
const FORCED = '(forced-colors: active)';
let known: { theme: string; colours: Colours } | null = null;

/** As they are now. Asked for by every chart: the browser is made to work them out once for a theme. */
export function colours(): Colours {
  const theme = `${document.documentElement.dataset.theme} ${matchMedia(LIGHT).matches} ${matchMedia(FORCED).matches}`;
  if (known?.theme === theme) return known.colours;
  const probes = NAMES.map((name) => {
    const probe = document.createElement('span');
    probe.style.color = `var(--${name})`;
    // A canvas is not forced into the reader's palette, so it may keep the hues that mean something.
    probe.style.setProperty('forced-color-adjust', 'none');
    return probe;
  });
  document.body.append(...probes);
  const found = Object.fromEntries(NAMES.map((name, index) => [name, getComputedStyle(probes[index]!).color])) as Colours;
  for (const probe of probes) probe.remove();
  known = { theme, colours: found };
  return found;
}

/** Calls back when colours or sizes change; the returned function ends that. */
export function onThemeChange(callback: () => void): () => void {
  const observer = new MutationObserver(callback);
  observer.observe(document.documentElement, { attributeFilter: ['data-theme', 'data-presenting'] });
  const media = [LIGHT, FORCED].map((query) => matchMedia(query));
  for (const one of media) one.addEventListener('change', callback);
  return () => {
    observer.disconnect();
    for (const one of media) one.removeEventListener('change', callback);
  };
}
