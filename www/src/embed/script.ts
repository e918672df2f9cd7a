// Built as embed.js, a classic script: a page may load it from any origin, and nobody has to send headers for it.

import { define } from './element';

/** A module has no current script; one of that name stands in the page all the same. */
const script = document.currentScript instanceof HTMLScriptElement ? document.currentScript : document.querySelector<HTMLScriptElement>('script[src$="/embed.js"]');
define(new URL('./', script?.src || document.baseURI));
