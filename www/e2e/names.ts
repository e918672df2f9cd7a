// What the page calls what the tests look for, for those who drive it by Playwright and for the journeys.

export const LIVE = /^Live: this code is running here/;
export const NAIVE_HOLDS = /^Naive, My machine: holds/;
export const PRODUCTION = /^Naive, Production/;
export const NAIVE_BROKEN = /^Naive, Production: [\d,]+ broken/;
export const HARDENED = /^Hardened, .*, Production/;
export const HARDENED_HOLDS = /^Hardened, .*, Production: holds/;
