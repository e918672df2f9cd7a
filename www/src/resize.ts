/**
 * Calls back in the frame after a change of size (in CSS pixels, without padding). What the callback changes may change
 * sizes again, and a change within the same round of layout is an error of the page ("loop completed with undelivered
 * notifications"). Returns what ends it.
 */
export function onResize(element: Element, callback: (size: { width: number; height: number }) => void): () => void {
  let frame = 0;
  const observer = new ResizeObserver(([entry]) => {
    const { width, height } = entry!.contentRect;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => callback({ width, height }));
  });
  observer.observe(element);
  return () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
  };
}
