// Keeps the whole page for later visits without a network. The list of files is written at build time.

export function keepForOffline() {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  navigator.serviceWorker.register('./offline.js').catch(() => {
    // Some browsers forbid it in private windows; the page works without.
  });
}
