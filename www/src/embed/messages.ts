// What passes between the script in somebody's article and our pages in its frames. Each side looks at where a message
// comes from, and at nothing that it does not know.

/** From a frame to the script. */
export type FromFrame =
  /** It is there, and its script runs. */
  | { twoam: 'hello' }
  | { twoam: 'size'; height: number };

/** From the script to a frame. */
export type ToFrame =
  /** With a port. To an embed: there is the engine. To the engine's page: there is an embed. */
  | { twoam: 'port' }
  | { twoam: 'theme'; theme: 'light' | 'dark' };

/** Pages from files and from sandboxes have no origin that could be named; then only the window tells who it was. */
export function target(origin: string): string {
  return origin === 'null' ? '*' : origin;
}

export function isFrom(event: MessageEvent, window: Window | null, origin: string): boolean {
  return event.source === window && window !== null && event.origin === origin;
}

export function fromFrame(data: unknown): FromFrame | null {
  if (typeof data !== 'object' || data === null || !('twoam' in data)) return null;
  if (data.twoam === 'hello') return { twoam: 'hello' };
  if (data.twoam === 'size' && 'height' in data && typeof data.height === 'number' && data.height > 0) return { twoam: 'size', height: Math.min(data.height, 4_000) };
  return null;
}

export function toFrame(data: unknown): ToFrame | null {
  if (typeof data !== 'object' || data === null || !('twoam' in data)) return null;
  if (data.twoam === 'port') return { twoam: 'port' };
  if (data.twoam === 'theme' && 'theme' in data && (data.theme === 'light' || data.theme === 'dark')) return { twoam: 'theme', theme: data.theme };
  return null;
}
