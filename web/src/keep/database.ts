// The database of what this browser keeps to open the page without a server: who reads, what was known last, and notes
// that are on their way. No secret is among it: what lets somebody in is the cookie, which no script can read.
import { answer } from '../document/database';

export async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('wardroom.page', 1);
  request.onupgradeneeded = () => {
    const database = request.result;
    database.createObjectStore('who');
    // What is on the shelf stands beside it, so that nobody reads megabytes to learn what is too much.
    database.createObjectStore('shelf', { keyPath: 'place' });
    database.createObjectStore('states');
    database.createObjectStore('notes', { keyPath: 'nr', autoIncrement: true });
  };
  return await answer(request);
}

/** Opens it for one thing to be done. */
export async function within<T>(act: (database: IDBDatabase) => Promise<T>): Promise<T> {
  const database = await open();
  try {
    return await act(database);
  } finally {
    database.close();
  }
}
