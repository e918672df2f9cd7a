// What the page calls what the tests look for, for those who drive it by Playwright and for the journeys. An outcome is one of a run
// in this page: what was recorded stands in every corner from the start, and says so.

export const LIVE = /^Live: this code is running here/;
export const MACHINE = /^Naive(, edited)?, My machine/;
export const NAIVE_HOLDS = /^Naive(, edited)?, My machine: holds(?!.*recorded)/;
export const PRODUCTION = /^Naive(, edited)?, Production/;
export const NAIVE_BROKEN = /^Naive(, edited)?, Production: broken(?!.*recorded)/;
export const HARDENED = /^Hardened, .*, Production/;
export const HARDENED_HOLDS = /^Hardened, .*, Production: holds(?!.*recorded)/;
