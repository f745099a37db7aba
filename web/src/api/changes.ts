// The ledger of changes, as the server answers it.
import type { Person, Time } from './types';

/** What may be done with a change. */
export type ChangeAct =
  | 'done'
  | 'failed'
  | 'drop'
  | 'correct'
  | 'say_way_back'
  | 'revert'
  | 'adopt'
  | 'hand_on'
  | 'differs_again'
  | 'take_in'
  | 'dismiss';

/** How a change stands. */
export type ChangeState =
  'announced' | 'done' | 'failed' | 'dropped' | 'reverted' | 'adopted' | 'handed_on' | 'dismissed';

/** A modification of a service. Words are null once they were taken out. */
export interface Change {
  id: number;
  service: string;
  /** The directory did not know it. */
  unknown_service: boolean;
  what: string | null;
  /** The entry that said these words, and of which service: what corrects them names it. */
  what_entry: number;
  why: string | null;
  /** The command that did it, or a link to it. */
  how: string | null;
  /** How to undo it. */
  back: string | null;
  /** The entry that said so, if any ever did. */
  back_entry: number | null;
  /** By what it came to the gate, if it was recorded there. */
  through: string | null;
  /** What the gate saw of it, where it was announced by hand, the oldest first. */
  passed: { what: string | null; through: string | null; done: boolean; at: Time }[];
  /** Who made it, where another system told of it and operations took it in. */
  maker: { person: Person | null; who: string | null } | null;
  /** Who made it, where somebody else wrote it down for them. */
  made_by: Person | null;
  by: Person;
  at: Time;
  done_at: Time | null;
  coordination: 'by_operations' | 'uncoordinated' | 'sorted';
  state: ChangeState;
  state_by: Person;
  state_at: Time;
  note: string | null;
  /** An https link. */
  bug: string | null;
  evidence: number | null;
  /** What the reader may do with it now. */
  may: ChangeAct[];
}

/** A service that differs from normal, and by which changes, the newest first. */
export interface Differing {
  service: string;
  unknown: boolean;
  changes: number[];
}

/** Somebody outside operations may change services for a while. */
export interface Permission {
  id: number;
  person: Person;
  services: string[];
  since: Time;
  until: Time;
  /** Null where they broke the glass. */
  by: Person | null;
  glass: boolean;
  reason: string | null;
  may_end: boolean;
}

/** Somebody outside operations asks to. */
export interface PermissionAsk {
  person: Person;
  services: string[];
  what: string | null;
  at: Time;
  may_grant: boolean;
  may_decline: boolean;
}
