// How many documents this browser keeps, and for how long: whoever is on call for a year opens hundreds.
import type { Place } from './database';

const DAY = 24 * 60 * 60_000;
/** So many are kept, those that were opened last; */
export const DOCUMENTS = 50;
/** none that was not opened for so long, in milliseconds, */
export const LASTS = 30 * DAY;
/** and of an incident that is over none that was not opened for so long: nothing is written in it any more. */
export const LASTS_OVER = DAY;

/** A document that this browser keeps. */
export interface KeptDocument {
  place: Place;
  /** When it was opened last, by this machine's clock; null where nobody wrote that down. */
  opened: number | null;
  /** Something was written in it that may not have been sent. */
  unsent: boolean;
  /** Its incident is over, as far as is known. */
  over: boolean;
}

/** What has to go, so that what stays is within the bounds. Words that only this browser has stay, whatever the bounds. */
export function tooMany(documents: KeptDocument[], now: number): KeptDocument[] {
  const newest = documents.toSorted((one, other) => (other.opened ?? now) - (one.opened ?? now));
  const stays = ({ opened, unsent, over }: KeptDocument, at: number): boolean =>
    unsent || (at < DOCUMENTS && now - (opened ?? now) <= (over ? LASTS_OVER : LASTS));
  return newest.filter((one, at) => !stays(one, at));
}
