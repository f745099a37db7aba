// What the gate stopped for the sake of an incident, in words.
import type { Person, Time } from '../api/types';

/** Somebody was stopped, or would have been. */
export interface Stopped {
  /** Which asking it was. */
  ask: string;
  at: Time;
  /** Null for somebody whom nobody here knows. */
  person: Person | null;
  services: string[];
  /** Null once it was taken out. */
  what: string | null;
  enforced: boolean;
  uncoordinated: boolean;
  may_redact: boolean;
}

/** What the gate stopped in so many days, and the last of it, the newest first. */
export interface Stops {
  days: number;
  stopped: number;
  observed: number;
  last: Stopped[];
}

/** What the gate did, as the beginning of a line. */
export function did({ stopped, observed }: Stops): string {
  if (observed === 0) return `The gate stopped ${stopped}`;
  return stopped === 0
    ? `The gate would have stopped ${observed}`
    : `The gate stopped ${stopped} and would have stopped ${observed}`;
}

/** Those that one line tells, and how many it does not. */
export function inOneLine({ stopped, observed, last }: Stops): { few: Stopped[]; more: number } {
  const few = last.slice(0, 2);
  return { few, more: stopped + observed - few.length };
}
