// What other systems told of, as the server answers it.
import type { Person, Time } from './types';

/** What may be done with a change that was seen. */
export type SightingAct = 'take_in' | 'dismiss' | 'ask_in';

/** A system of which no more is kept in an incident. */
export interface TellerCut {
  source: string | null;
  told_by: Person | null;
  heard: number;
  /** So many at the very most, with those that are to be sorted. Not there where this browser kept it of an older server. */
  at_most?: number;
}

/** A change of which another system told. Words are null once they were taken out. */
export interface Sighting {
  id: number;
  service: string;
  what: string | null;
  /** Who made it, as the other system calls them. */
  who: string | null;
  /** Who that is, where the directory knew them. */
  person: Person | null;
  /** Whose token told of it, where it was told with one. */
  told_by: Person | null;
  /** GitHub told of it, which signs what it tells. Not there where this browser kept it of an older server. */
  told_by_github?: boolean;
  /** Who told of it. */
  source: string | null;
  /** An https link. */
  link: string | null;
  environment: string | null;
  stage: 'begun' | 'failed' | 'done';
  at: Time;
  entry: number;
  before_impact: boolean;
  uncoordinated: boolean;
  /** Operations still have to sort it. */
  unsorted: boolean;
  /** The change of the ledger that it is. */
  change: number | null;
  sorted_by: Person | null;
  asked_in_by: Person | null;
  may: SightingAct[];
}
