// A line that tells of a change: what is asked for it, and what is read aloud once it is taken.
import type { Line } from '../parts/lines.svelte';

/** As done, or as about to be made. */
export type Telling = 'record_change' | 'announce_change';

export interface Told {
  command: Telling;
  [field: string]: unknown;
}

/** What is asked for a line. Its words say which service it is about, unless that is named. What somebody else made, whose
 * name stands beside it, is done: nobody announces for another. */
export function telling(as: Telling, { words, beside }: Line, service: string | null): Told {
  const asked = { what: words, service, why: null, how: null, back: null };
  return as === 'record_change' || beside
    ? { command: 'record_change', ...asked, happened_at: null, made_by: beside || null }
    : { command: 'announce_change', ...asked };
}

export const aloud = ({ command }: Told): string =>
  command === 'record_change'
    ? 'The change is recorded.'
    : 'The change is announced. Say how it went when it is done.';
