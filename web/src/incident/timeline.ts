// How the timeline is told: what stands out, what a filter lets through, which words were corrected. For reading
// only; what matters to whoever takes command is decided by the server and comes with the briefing.
import type { Entry } from '../api/types';

/** What stands out while reading. */
export const LOUD: ReadonlySet<string> = new Set([
  'opened',
  'declared',
  'phase_set',
  'closed',
  'reopened',
  'severity_set',
  'kind_set',
  'role_taken',
  'role_fell',
  'command_assumed',
  'commander_absent',
  'roadblock_raised',
  'roadblock_cleared',
  'merged_into',
  'absorbed',
]);

export type Filter = 'everything' | 'matters' | 'notes' | 'pinned';

export const FILTERS: [Filter, string][] = [
  ['everything', 'everything'],
  ['matters', 'what matters'],
  ['notes', 'notes'],
  ['pinned', 'pinned'],
];

/** A note's words; null when they were taken out. */
export function wordsOf({ body }: Entry): string | null {
  return typeof body.text === 'string' ? body.text : null;
}

/** The newest correction of a note among what is loaded. */
export function correction(entries: Entry[], note: number): string | null {
  const last = entries.findLast(({ kind, body }) => kind === 'note_corrected' && body.entry === note);
  return last ? wordsOf(last) : null;
}

export function passes(entry: Entry, filter: Filter, pinned: number[], search: string): boolean {
  const kind =
    filter === 'everything' ||
    (filter === 'matters' && LOUD.has(entry.kind)) ||
    (filter === 'notes' && (entry.kind === 'noted' || entry.kind === 'note_corrected')) ||
    (filter === 'pinned' && pinned.includes(entry.entry));
  return kind && (search === '' || (entry.told ?? '').toLowerCase().includes(search));
}
