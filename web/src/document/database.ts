// The database of documents that this browser keeps: what is in it, and whose. It knows nothing of what stands in them.
//
// A browser may have no room, or forbid keeping anything. Then every call here fails, and whoever calls says so.
import { type KeptDocument, tooMany } from './bounds';

export const DATABASE = 'wardroom.document';

/** Which document, of whom. */
export interface Place {
  person: string;
  incident: number;
  epoch: string;
}

/** A piece of a document. */
export interface Piece {
  place: string;
  update: Uint8Array;
}

/** What is kept beside the pieces says when the document was opened last, by this machine's clock. */
export interface Opened {
  opened?: number;
}

export const keyOf = ({ person, incident, epoch }: Place): string => `${person}/${incident}/${epoch}`;

/** One request's outcome. */
export function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser kept nothing'));
  });
}

/** A transaction's end: it is kept, or it is not. */
export function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    const no = (): void => reject(transaction.error ?? new Error('the browser kept nothing'));
    transaction.oncomplete = () => resolve();
    transaction.onabort = no;
    transaction.onerror = no;
  });
}

export async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    const database = request.result;
    database.createObjectStore('pieces', { autoIncrement: true }).createIndex('place', 'place');
    database.createObjectStore('unsent', { keyPath: ['place', 'client'] });
    database.createObjectStore('about');
  };
  return await answer(request);
}

/** The database, if there is one: asking what is in it makes none, also not after it was thrown away. */
async function existing(): Promise<IDBDatabase | null> {
  const request = indexedDB.open(DATABASE, 1);
  let none = false;
  request.onupgradeneeded = () => {
    none = true;
    request.transaction!.abort();
  };
  return await answer(request).catch((error: unknown) => {
    if (none) return null;
    throw error;
  });
}

/** Documents of this person in which something was written that may not have been sent. */
export async function unsentOf(person: string): Promise<Place[]> {
  const database = await existing();
  if (database === null) return [];
  try {
    const transaction = database.transaction('unsent');
    const keys = await answer(transaction.objectStore('unsent').getAllKeys());
    const places = new Set(keys.map((found) => (found as [string, number])[0]));
    return [...places].map(placed).filter((place) => place.person === person);
  } finally {
    database.close();
  }
}

/** Incidents of whose document something is kept for this person. */
export async function incidentsOf(person: string): Promise<number[]> {
  const database = await existing();
  if (database === null) return [];
  try {
    const keys = await answer(database.transaction('about').objectStore('about').getAllKeys());
    const all = keys.map((key) => placed(key as string)).filter((place) => place.person === person);
    return all.map(({ incident }) => incident);
  } finally {
    database.close();
  }
}

/** Forgets what was kept for anybody else: another person uses this browser now. */
export async function forgetOthers(person: string): Promise<void> {
  const database = await existing();
  if (database === null) return;
  try {
    const transaction = database.transaction(['pieces', 'unsent', 'about'], 'readwrite');
    const foreign = (place: string): boolean => placed(place).person !== person;
    const places = new Set<string>();
    for (const name of ['unsent', 'about'] as const) {
      const store = transaction.objectStore(name);
      for (const found of await answer(store.getAllKeys())) {
        const place = Array.isArray(found) ? (found[0] as string) : (found as string);
        if (!foreign(place)) continue;
        places.add(place);
        store.delete(found);
      }
    }
    const pieces = transaction.objectStore('pieces');
    for (const place of await placesOf(pieces)) if (foreign(place)) places.add(place);
    for (const place of places)
      for (const each of await answer(pieces.index('place').getAllKeys(place))) pieces.delete(each);
    await ended(transaction);
  } finally {
    database.close();
  }
}

/** Forgets documents of this person beyond what is kept. `over` are incidents that are known to be over. */
export async function forgetOld(person: string, over: ReadonlySet<number>, now = Date.now()): Promise<void> {
  const database = await existing();
  if (database === null) return;
  let goes: Set<string>;
  try {
    const transaction = database.transaction(['pieces', 'about', 'unsent'], 'readwrite');
    const about = transaction.objectStore('about');
    const [keys, rows, waiting, pieces] = await Promise.all([
      answer(about.getAllKeys()),
      answer<Opened[]>(about.getAll()),
      answer(transaction.objectStore('unsent').getAllKeys()),
      placesOf(transaction.objectStore('pieces')),
    ]);
    const unsent = new Set(waiting.map((found) => (found as [string, number])[0]));
    const known = new Map(keys.map((key, at) => [key as string, rows[at]]));
    const documents = [...new Set([...known.keys(), ...pieces])].map((key): KeptDocument => {
      const place = placed(key);
      const opened = known.get(key)?.opened ?? null;
      // Nobody wrote a time down: its time begins now.
      if (opened === null) about.put({ ...known.get(key), opened: now }, key);
      return { place, opened, unsent: unsent.has(key), over: over.has(place.incident) };
    });
    goes = new Set(
      tooMany(
        documents.filter(({ place }) => place.person === person),
        now,
      ).map(({ place }) => keyOf(place)),
    );
    await ended(transaction);
  } finally {
    database.close();
  }
  if (goes.size > 0) await forgetSent((place) => goes.has(keyOf(place)));
}

/** Forgets documents of which nothing waits to be sent, among those that `which` names. */
export async function forgetSent(which: (place: Place) => boolean): Promise<void> {
  const database = await existing();
  if (database === null) return;
  try {
    const transaction = database.transaction(['pieces', 'unsent', 'about'], 'readwrite');
    const waiting = await answer(transaction.objectStore('unsent').getAllKeys());
    const unsent = new Set(waiting.map((found) => (found as [string, number])[0]));
    const goes = (key: string): boolean => !unsent.has(key) && which(placed(key));
    const [pieces, about] = [transaction.objectStore('pieces'), transaction.objectStore('about')];
    for (const found of await answer(about.getAllKeys())) if (goes(found as string)) about.delete(found);
    const cursor = pieces.index('place').openKeyCursor();
    await new Promise<void>((resolve, reject) => {
      cursor.onerror = () => reject(cursor.error ?? new Error('the browser kept nothing'));
      cursor.onsuccess = () => {
        if (cursor.result === null) return resolve();
        if (goes(cursor.result.key as string)) pieces.delete(cursor.result.primaryKey);
        cursor.result.continue();
      };
    });
    await ended(transaction);
  } finally {
    database.close();
  }
}

/** Every document of which there are pieces. */
function placesOf(pieces: IDBObjectStore): Promise<string[]> {
  const places: string[] = [];
  const cursor = pieces.index('place').openKeyCursor(null, 'nextunique');
  return new Promise((resolve, reject) => {
    cursor.onerror = () => reject(cursor.error ?? new Error('the browser kept nothing'));
    cursor.onsuccess = () => {
      if (cursor.result === null) return resolve(places);
      places.push(cursor.result.key as string);
      cursor.result.continue();
    };
  });
}

function placed(place: string): Place {
  const [person = '', incident = '', epoch = ''] = place.split('/');
  return { person, incident: Number(incident), epoch };
}
