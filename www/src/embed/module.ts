// Built as embed.mjs, for pages that import it. Where the file is bundled into something else, the attribute `site` says
// where the playground is.

import { define } from './element';

define(new URL('./', import.meta.url));
