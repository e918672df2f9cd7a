// The theme's colours for what is painted on a canvas. They are read from the style sheet, so that it stays the only
// place that names a colour.

export type Colour = 'ground' | 'raised' | 'line' | 'edge' | 'ink' | 'soft' | 'lamp' | 'holds' | 'broken' | 'waiting' | 'fault' | 'deploy' | 'syntax';

export type Colours = { [name in Colour]: string };

const NAMES: Colour[] = ['ground', 'raised', 'line', 'edge', 'ink', 'soft', 'lamp', 'holds', 'broken', 'waiting', 'fault', 'deploy', 'syntax'];

export function colours(): Colours {
  const probe = document.createElement('span');
  document.body.append(probe);
  const style = getComputedStyle(probe);
  const found = Object.fromEntries(
    NAMES.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, style.color];
    }),
  ) as Colours;
  probe.remove();
  return found;
}

/** Calls back when colours or sizes change; the returned function ends that. */
export function onThemeChange(callback: () => void): () => void {
  const observer = new MutationObserver(callback);
  observer.observe(document.documentElement, { attributeFilter: ['data-theme', 'data-presenting'] });
  const media = matchMedia('(prefers-color-scheme: light)');
  media.addEventListener('change', callback);
  return () => {
    observer.disconnect();
    media.removeEventListener('change', callback);
  };
}
