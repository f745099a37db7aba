// What this browser keeps of documents: all of one that was open, to open it again without a server, and above all what
// was written and is not sent yet. It is kept per person, incident and epoch of the server's log: what stood before a
// backup was restored is never mixed with what stands now.
import * as Y from 'yjs';
import { type Opened, type Piece, type Place, answer, ended, keyOf, open } from './database';

/** So many pieces are joined into one. */
const PIECES = 200;

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

export class Kept {
  readonly #key: string;
  readonly #database: IDBDatabase;
  #pieces = 0;
  /** What waits while something is being written: it is written together. */
  #waiting: { updates: Uint8Array[]; unsent: Set<number> } | null = null;
  #writing: Promise<void> | null = null;

  private constructor(place: Place, database: IDBDatabase) {
    this.#key = keyOf(place);
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

  /** Keeps what is known about it beside the text, and that it is open at this moment. */
  async about(about: About): Promise<void> {
    const transaction = this.#database.transaction('about', 'readwrite');
    const opened = Date.now();
    transaction.objectStore('about').put({ ...about, opened } satisfies Opened, this.#key);
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
