// How long to wait before reading again: soon at first, then with growing patience.

const FIRST = 300;
const LONGEST = 10_000;

/** Milliseconds before the attempt that follows `failed` failures in a row; `chance` lies between 0 and 1. */
export function pause(failed: number, chance: number): number {
  const plain = Math.min(LONGEST, FIRST * 2 ** Math.min(failed, 16));
  // A little less or more, so that a room full of browsers does not come back all at once.
  return Math.round(plain * (0.8 + 0.4 * chance));
}
