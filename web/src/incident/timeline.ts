// How the timeline is told: what a filter lets through, which words were corrected. What matters, and what stands out,
// the server says with each entry.
import type { Entry } from '../api/types';

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

/** What an entry keeps as evidence. */
export interface Piece {
  address: string;
  name: string;
  picture: boolean;
}

/** The evidence that an entry brought; null when it brought none, or it was taken out. */
export function evidenceOf({ kind, body }: Entry, incident: number): Piece | null {
  if (kind !== 'evidence_attached' || typeof body.sha256 !== 'string') return null;
  return {
    address: `/api/v1/incidents/${incident}/evidence/${body.sha256}`,
    name: String(body.name),
    picture: String(body.media_type).startsWith('image/'),
  };
}

/** The newest correction of a note among what is loaded. */
export function correction(entries: Entry[], note: number): string | null {
  const last = entries.findLast(({ kind, body }) => kind === 'note_corrected' && body.entry === note);
  return last ? wordsOf(last) : null;
}

export function passes(entry: Entry, filter: Filter, pinned: number[], search: string): boolean {
  const kind =
    filter === 'everything' ||
    (filter === 'matters' && entry.matters) ||
    (filter === 'notes' && (entry.kind === 'noted' || entry.kind === 'note_corrected')) ||
    (filter === 'pinned' && pinned.includes(entry.entry));
  return kind && (search === '' || (entry.told ?? '').toLowerCase().includes(search));
}

/** Where to read the document as it stood when command changed hands with this entry: at the mark that was made then, if
 * something had been written. Null when it is no such entry. */
export function markOf(entries: Entry[], { kind, body, entry, at }: Entry): number | null {
  if (kind === 'document_marked') return entry;
  const taken = kind === 'command_assumed' || (kind === 'role_taken' && body.role === 'command');
  if (!taken) return null;
  // What belongs to one decision has one time, and follows closely.
  const made = entries.find(
    (known) => known.kind === 'document_marked' && known.at === at && known.entry > entry,
  );
  return made?.entry ?? entry;
}
