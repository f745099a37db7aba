// What this browser keeps of documents: all of one that was open, to open it again without a server, and above all what
// was written and is not sent yet. It is kept per person, incident and epoch of the server's log: what stood before a
// backup was restored is never mixed with what stands now.
//
// A browser may have no room, or forbid keeping anything. Then every call here fails, and whoever calls says so.
import * as Y from 'yjs';

export const DATABASE = 'wardroom.document';
/** So many pieces are joined into one. */
const PIECES = 200;

/** Which document, of whom. */
export interface Place {
  person: string;
  incident: number;
  epoch: string;
}

/** What is there of a document, as it was when it was opened. */
export interface Found {
  updates: Uint8Array[];
  /** Client ids under which something was written that may not have been sent. */
  unsent: number[];
  /** What was known about it beside the text. */
  about: About | null;
}

export interface About {
  authors: Record<string, unknown>;
  clock: Record<string, unknown>;
}

interface Piece {
  place: string;
  update: Uint8Array;
}

const key = ({ person, incident, epoch }: Place): string => `${person}/${incident}/${epoch}`;

/** One request's outcome. */
function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser kept nothing'));
  });
}

/** A transaction's end: it is kept, or it is not. */
function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    const no = (): void => reject(transaction.error ?? new Error('the browser kept nothing'));
    transaction.oncomplete = () => resolve();
    transaction.onabort = no;
    transaction.onerror = no;
  });
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    const database = request.result;
    database.createObjectStore('pieces', { autoIncrement: true }).createIndex('place', 'place');
    database.createObjectStore('unsent', { keyPath: ['place', 'client'] });
    database.createObjectStore('about');
  };
  return await answer(request);
}

export class Kept {
  readonly #key: string;
  readonly #database: IDBDatabase;
  #pieces = 0;
  /** What waits while something is being written: it is written together. */
  #waiting: { updates: Uint8Array[]; unsent: Set<number> } | null = null;
  #writing: Promise<void> | null = null;

  private constructor(place: Place, database: IDBDatabase) {
    this.#key = key(place);
    this.#database = database;
    // Somebody signs out in another window: all of it goes, and nothing here may stand in the way.
    database.onversionchange = () => database.close();
  }

  static async open(place: Place): Promise<Kept> {
    return new Kept(place, await open());
  }

  async read(): Promise<Found> {
    const transaction = this.#database.transaction(['pieces', 'unsent', 'about']);
    const pieces = answer<Piece[]>(transaction.objectStore('pieces').index('place').getAll(this.#key));
    const range = IDBKeyRange.bound([this.#key], [this.#key, []]);
    const unsent = answer(transaction.objectStore('unsent').getAllKeys(range));
    const about = answer<About | undefined>(transaction.objectStore('about').get(this.#key));
    const updates = (await pieces).map(({ update }) => update);
    this.#pieces = updates.length;
    const clients = (await unsent).map((found) => (found as [string, number])[1]);
    return { updates, unsent: clients, about: (await about) ?? null };
  }

  /** Keeps an update. `unsent` is the client id of whoever wrote it here; null when it came from the server. */
  write(update: Uint8Array, unsent: number | null): Promise<void> {
    this.#waiting ??= { updates: [], unsent: new Set() };
    this.#waiting.updates.push(update);
    if (unsent !== null) this.#waiting.unsent.add(unsent);
    this.#writing ??= this.#drain();
    return this.#writing;
  }

  async #drain(): Promise<void> {
    // What is written in one go is kept in one go.
    await Promise.resolve();
    let now = this.#waiting;
    try {
      for (; now !== null; now = this.#waiting) {
        const { updates, unsent } = now;
        this.#waiting = null;
        const transaction = this.#database.transaction(['pieces', 'unsent'], 'readwrite');
        const update = updates.length === 1 ? updates[0] : Y.mergeUpdates(updates);
        transaction.objectStore('pieces').add({ place: this.#key, update });
        for (const client of unsent) transaction.objectStore('unsent').put({ place: this.#key, client });
        await ended(transaction);
        this.#pieces += 1;
        if (this.#pieces > PIECES) await this.#join();
      }
    } catch (error) {
      // It stays in line: what is kept later may build on it.
      const later: typeof now = this.#waiting;
      this.#waiting = {
        updates: [...(now?.updates ?? []), ...(later?.updates ?? [])],
        unsent: new Set([...(now?.unsent ?? []), ...(later?.unsent ?? [])]),
      };
      throw error;
    } finally {
      this.#writing = null;
    }
  }

  /** Everything that these clients wrote here is on the server's disk, if it still is once the last of it is kept. */
  async sent(clients: Iterable<number>, still: () => boolean = () => true): Promise<void> {
    await this.#writing;
    if (!still()) return;
    const transaction = this.#database.transaction('unsent', 'readwrite');
    for (const client of clients) transaction.objectStore('unsent').delete([this.#key, client]);
    await ended(transaction);
  }

  async about(about: About): Promise<void> {
    const transaction = this.#database.transaction('about', 'readwrite');
    transaction.objectStore('about').put(about, this.#key);
    await ended(transaction);
  }

  /** Forgets this document. */
  async forget(): Promise<void> {
    await this.#writing?.catch(() => undefined);
    const transaction = this.#database.transaction(['pieces', 'unsent', 'about'], 'readwrite');
    const pieces = transaction.objectStore('pieces');
    for (const each of await answer(pieces.index('place').getAllKeys(this.#key))) pieces.delete(each);
    transaction.objectStore('unsent').delete(IDBKeyRange.bound([this.#key], [this.#key, []]));
    transaction.objectStore('about').delete(this.#key);
    await ended(transaction);
    this.#pieces = 0;
  }

  close(): void {
    void (this.#writing ?? Promise.resolve()).catch(() => undefined).then(() => this.#database.close());
  }

  /** Many pieces become one, whole or not at all. Another window's that came meanwhile are among them. */
  async #join(): Promise<void> {
    const transaction = this.#database.transaction('pieces', 'readwrite');
    const store = transaction.objectStore('pieces');
    const index = store.index('place');
    const [keys, pieces] = await Promise.all([
      answer(index.getAllKeys(this.#key)),
      answer<Piece[]>(index.getAll(this.#key)),
    ]);
    for (const each of keys) store.delete(each);
    store.add({ place: this.#key, update: Y.mergeUpdates(pieces.map(({ update }) => update)) });
    await ended(transaction);
    this.#pieces = 1;
  }
}

/** Documents of this person in which something was written that may not have been sent. */
export async function unsentOf(person: string): Promise<Place[]> {
  const database = await open();
  try {
    const transaction = database.transaction('unsent');
    const keys = await answer(transaction.objectStore('unsent').getAllKeys());
    const places = new Set(keys.map((found) => (found as [string, number])[0]));
    return [...places].map(placed).filter((place) => place.person === person);
  } finally {
    database.close();
  }
}

/** Forgets what was kept for anybody else: another person uses this browser now. */
export async function forgetOthers(person: string): Promise<void> {
  const database = await open();
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
    const cursor = pieces.index('place').openKeyCursor(null, 'nextunique');
    await new Promise<void>((resolve, reject) => {
      cursor.onerror = () => reject(cursor.error ?? new Error('the browser kept nothing'));
      cursor.onsuccess = () => {
        if (cursor.result === null) return resolve();
        if (foreign(cursor.result.key as string)) places.add(cursor.result.key as string);
        cursor.result.continue();
      };
    });
    for (const place of places)
      for (const each of await answer(pieces.index('place').getAllKeys(place))) pieces.delete(each);
    await ended(transaction);
  } finally {
    database.close();
  }
}

function placed(place: string): Place {
  const [person = '', incident = '', epoch = ''] = place.split('/');
  return { person, incident: Number(incident), epoch };
}
