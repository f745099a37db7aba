// What of a document is read aloud: that something is wrong, and that it is in order again; never that something was saved.
import type { Standing } from './provider';
import type { Saying } from './saying';

/** How long something has to stand so before it is read aloud, in milliseconds. */
const SETTLED = 1_500;
/** A connection may be gone for longer: after that the room itself says so, where the document need not. */
const AWAY = 6_000;

/** For how long it has to stand like this before it is read aloud. */
export const settledAfter = ({ link }: Standing): number => (link === 'away' ? AWAY : SETTLED);

export class Aloud {
  /** Something was wrong, as whoever listens knows, and has not been said to be in order since. */
  #worried = false;

  /** What to read aloud now that it stands so; null for nothing. */
  settled({ words, tone }: Saying, { link, saved }: Standing): string | null {
    if (tone !== 'quiet' || link === 'away') {
      this.#worried = true;
      // The room has said that there is no connection, and the document has nothing to add.
      return tone === 'quiet' ? null : `Document: ${words}`;
    }
    if (!this.#worried || link !== 'live' || !saved) return null;
    this.#worried = false;
    return 'Document: connected again, and everything is saved.';
  }
}
