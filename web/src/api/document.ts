// What stands in the state document beside its written parts, and their marks, as the server answers it.
import type { PartName } from '../document/parts';
import type { Person, Time } from './types';

/** Something that must be true before the incident is resolved. Words are null once they were taken out. */
export interface Criterion {
  id: number;
  text: string | null;
  /** The entry that said these words: what rewords them names it. */
  text_entry: number;
  owner: Person | null;
  /** The entry that said so, if any ever did. */
  owner_entry: number | null;
  /** An https link. */
  bug: string | null;
  /** The entry that linked it or took the link away, if any ever did. */
  bug_entry: number | null;
  by: Person;
  at: Time;
  state: 'open' | 'met' | 'waived';
  settled_by: Person | null;
  settled_at: Time | null;
  /** Why it was waived. */
  reason: string | null;
  /** What the reader may do with it now. */
  may: ('reword' | 'assign' | 'meet' | 'reopen' | 'waive' | 'link')[];
}

/** Something to do, or a bug that was filed. */
export interface Todo {
  id: number;
  text: string | null;
  /** The entry that said these words: what rewords them names it. */
  text_entry: number;
  owner: Person | null;
  /** The entry that said so, if any ever did. */
  owner_entry: number | null;
  /** An https link. */
  bug: string | null;
  /** The entry that linked it or took the link away, if any ever did. */
  bug_entry: number | null;
  by: Person;
  at: Time;
  done_by: Person | null;
  done_at: Time | null;
  /** What the reader may do with it now. */
  may: ('reword' | 'take' | 'assign' | 'finish' | 'reopen' | 'link')[];
}

/** What the log knows of the written parts. */
export interface DocumentView {
  /** Who said last that a part is still true. */
  stamps: { part: PartName; by: Person; at: Time }[];
  may_write: boolean;
  may_stamp: boolean;
  due: Time | null;
  /** When it is asked of each part that somebody is asked about. */
  parts_due: Partial<Record<PartName, Time>>;
}

/** The written parts as the log keeps them, as of an entry. */
export interface Marked {
  entry: number;
  version: number;
  parts: {
    part: PartName;
    /** Null once it was taken out. */
    text: string | null;
    marked_in: number;
    /** Whether the reader has not seen these words yet. */
    new: boolean;
    /** What stood there when they last looked. */
    before: string | null;
    /** Whether it was written in after the mark. */
    changed_since: boolean;
  }[];
}
