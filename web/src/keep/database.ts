// The database of what this browser keeps to open the page without a server: who reads, what was known last, and notes
// that are on their way. No secret is among it: what lets somebody in is the cookie, which no script can read.
import { answer } from '../document/database';

/** So long a browser may take to open it, in milliseconds: one that does not answer keeps nothing. */
const PATIENCE = 2_000;

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
  const opened = answer(request);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, no) => {
    timer = setTimeout(() => no(new Error('the browser does not answer')), PATIENCE);
  });
  return await Promise.race([opened, late])
    .catch((error: unknown) => {
      // Nobody waits for it any more.
      void opened.then(
        (database) => database.close(),
        () => undefined,
      );
      throw error;
    })
    .finally(() => clearTimeout(timer));
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
