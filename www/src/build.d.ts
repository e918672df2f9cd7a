// Set by vite.config.ts: which build of the engine the page was built with.
declare const __ENGINE__: string;
