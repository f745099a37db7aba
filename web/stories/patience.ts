// How long a story waits for anything. What is there is noticed at once; this is only for what never comes.

/** What does not come in this time does not come, in milliseconds: long enough for a machine that builds beside it. */
export const PATIENCE = { timeout: 60_000 };
