// What was known last, for whoever opens the page without a server: who they are, the board, incidents as they were last
// received. It is bounded, and it is of one person: it goes with them.
import type { Me } from '../api/types';
import { answer, ended } from '../document/database';
import { within } from './database';

/** So many incidents and lists are kept, */
const PLACES = 20;
/** so many letters of JSON in all, */
const LETTERS = 4_000_000;
/** and none that was received longer ago, in milliseconds. */
export const LASTS = 7 * 24 * 60 * 60_000;

export interface Who {
  me: Me;
  /** How far the server's clock was ahead of this machine's, in milliseconds: ages stay right without a server. */
  ahead: number;
  /** When the server last said so, by its own clock. */
  at: number;
}

/** What stands on the shelf. */
export interface Kept {
  place: string;
  /** When it was received, by the server's clock. */
  at: number;
  letters: number;
}

/** What has to go, so that what stays is within the bounds: the oldest first. */
export function tooMuch(shelf: Kept[], now: number): string[] {
  let letters = 0;
  const newest = shelf.toSorted((one, other) => other.at - one.at);
  const stays = (kept: Kept, at: number): boolean =>
    at < PLACES && now - kept.at <= LASTS && (letters += kept.letters) <= LETTERS;
  return newest.filter((kept, at) => !stays(kept, at)).map(({ place }) => place);
}

/** The reader is who the server says. What was kept for anybody else goes. */
export async function keepWho(who: Who): Promise<void> {
  await within(async (database) => {
    const transaction = database.transaction(['who', 'shelf', 'states', 'notes'], 'readwrite');
    const store = transaction.objectStore('who');
    const before = await answer<Who | undefined>(store.get('who'));
    if (before && before.me.person.id !== who.me.person.id) {
      transaction.objectStore('shelf').clear();
      transaction.objectStore('states').clear();
    }
    const notes = transaction.objectStore('notes');
    for (const note of await answer<{ nr: number; person: string }[]>(notes.getAll()))
      if (note.person !== who.me.person.id) notes.delete(note.nr);
    store.put(who, 'who');
    await ended(transaction);
  });
}

/** Who was here last, if that is not too long ago. */
export async function lastHere(now = Date.now()): Promise<Who | null> {
  return await within(async (database) => {
    const found = await answer<Who | undefined>(database.transaction('who').objectStore('who').get('who'));
    return found && now + found.ahead - found.at <= LASTS ? found : null;
  });
}

/** Keeps what was received; not of somebody who signed out meanwhile, in this window or another. */
export async function keepState(person: string, place: string, what: unknown, at: number): Promise<void> {
  const written = JSON.stringify(what);
  await within(async (database) => {
    const transaction = database.transaction(['who', 'shelf', 'states'], 'readwrite');
    const who = await answer<Who | undefined>(transaction.objectStore('who').get('who'));
    if (who?.me.person.id === person) {
      transaction.objectStore('who').put({ ...who, at: Math.max(who.at, at) }, 'who');
      const [shelf, states] = [transaction.objectStore('shelf'), transaction.objectStore('states')];
      shelf.put({ place, at, letters: written.length } satisfies Kept);
      states.put(written, place);
      for (const old of tooMuch(await answer<Kept[]>(shelf.getAll()), at)) {
        shelf.delete(old);
        states.delete(old);
      }
    }
    await ended(transaction);
  });
}

/** What was known last, and since when; null when nothing was, or it is too old. */
export async function stateOf<T>(
  person: string,
  place: string,
  now: number,
): Promise<{ what: T; at: number } | null> {
  return await within(async (database) => {
    const transaction = database.transaction(['who', 'shelf', 'states']);
    const [who, kept, written] = await Promise.all([
      answer<Who | undefined>(transaction.objectStore('who').get('who')),
      answer<Kept | undefined>(transaction.objectStore('shelf').get(place)),
      answer<string | undefined>(transaction.objectStore('states').get(place)),
    ]);
    if (who?.me.person.id !== person || !kept || !written || now - kept.at > LASTS) return null;
    return { what: JSON.parse(written) as T, at: kept.at };
  });
}

/** Where something is kept. */
export async function places(): Promise<string[]> {
  return await within(async (database) => {
    const keys = await answer(database.transaction('shelf').objectStore('shelf').getAllKeys());
    return keys as string[];
  });
}

/** The reader may not see it any more. */
export async function forgetState(place: string): Promise<void> {
  await within(async (database) => {
    const transaction = database.transaction(['shelf', 'states'], 'readwrite');
    transaction.objectStore('shelf').delete(place);
    transaction.objectStore('states').delete(place);
    await ended(transaction);
  });
}

/** Nobody is signed in. `notes` too: somebody signed out, and was told that they would go. */
export async function forgetAll({ notes }: { notes: boolean }): Promise<void> {
  await within(async (database) => {
    const stores = ['who', 'shelf', 'states', ...(notes ? ['notes'] : [])];
    const transaction = database.transaction(stores, 'readwrite');
    for (const store of stores) transaction.objectStore(store).clear();
    await ended(transaction);
  });
}
