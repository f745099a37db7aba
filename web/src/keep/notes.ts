// Notes that are not on the server's disk yet, in the order in which they were written. They are on this browser's disk
// before anything is sent, so that neither a reload nor a crash of either side loses one or writes it twice.
import type { Time } from '../api/types';
import { answer, ended } from '../document/database';
import { within } from './database';

export interface Note {
  /** Its place in the order; a note that only this window has counts down. */
  nr: number;
  /** Stays the same however often it is tried, so that it is written once. */
  request_id: string;
  person: string;
  incident: number;
  text: string;
  pin: boolean;
  /** When it happened, as its writer says; null when they say nothing. */
  happened_at: Time | null;
  /** When it was written, by this machine's own clock, which the server's corrects when it is back. */
  written: number;
  /** The times under which it was tried: the server knows one request by one body. */
  tried: (Time | null)[];
  /** Why the server will not have it. */
  refused: string | null;
}

export type Draft = Omit<Note, 'nr' | 'tried' | 'refused'>;

/** A note that waited longer than so says when it was written, in milliseconds. */
const LATE = 60_000;

/** What a browser that keeps nothing cannot keep: it stands in this window alone. */
let loose: Note[] = [];
const CHANNEL = 'wardroom.notes';
const listeners = new Set<() => void>();
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(CHANNEL) : null;
if (channel) channel.onmessage = () => listeners.forEach((listen) => listen());

/** Calls back when notes came or went, in any window, until the returned function is called. */
export function onChange(listen: () => void): () => void {
  listeners.add(listen);
  return () => listeners.delete(listen);
}

function tell(): void {
  channel?.postMessage('changed');
  listeners.forEach((listen) => listen());
}

/** Whether only this window has it. */
export const isLoose = (note: Note): boolean => note.nr < 0;

export async function add(draft: Draft): Promise<void> {
  const note = { ...draft, tried: [], refused: null };
  try {
    await within(async (database) => {
      const transaction = database.transaction('notes', 'readwrite', { durability: 'strict' });
      transaction.objectStore('notes').add(note);
      await ended(transaction);
    });
  } catch {
    loose = [...loose, { ...note, nr: -1 - loose.length }];
  }
  tell();
}

/** This person's notes, oldest first. */
export async function notesOf(person: string): Promise<Note[]> {
  const kept = await within(async (database) =>
    answer<Note[]>(database.transaction('notes').objectStore('notes').getAll()),
  ).catch((): Note[] => []);
  return [...kept, ...loose].filter((note) => note.person === person);
}

/** Changes a note, if it is still there; null takes it away. What is there afterwards. */
export async function change(nr: number, by: (note: Note) => Note | null): Promise<Note | null> {
  let after: Note | null = null;
  if (nr < 0) {
    const found = loose.find((note) => note.nr === nr);
    after = found ? by(found) : null;
    loose = loose.flatMap((note) => (note.nr !== nr ? [note] : after ? [after] : []));
  } else {
    await within(async (database) => {
      const transaction = database.transaction('notes', 'readwrite', { durability: 'strict' });
      const store = transaction.objectStore('notes');
      const found = await answer<Note | undefined>(store.get(nr));
      after = found ? by(found) : null;
      if (after) store.put(after);
      else if (found) store.delete(nr);
      await ended(transaction);
    });
  }
  tell();
  return after;
}

/**
 * The note with the time under which it is to be tried now. One that is sent at once happened now, and says nothing. One
 * that waited says when it was written, by the server's clock, which is never later than now.
 */
export function timed(note: Note, now: number, ahead: number): Note {
  const written = note.written + ahead;
  const own = note.happened_at ?? (now - written > LATE ? new Date(written).toISOString() : null);
  const last = note.tried.at(-1);
  // What was tried under a time of its own keeps it. What was tried as new may have to say now that it is not.
  const news = last === undefined || (last === null && own !== null);
  return news ? { ...note, tried: [...note.tried, own] } : note;
}
