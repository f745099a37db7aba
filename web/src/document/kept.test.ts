// What a browser keeps of documents, on an IndexedDB in memory.
import { IDBDatabase as FDBDatabase, IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { LASTS, LASTS_OVER } from './bounds';
import { type Place, forgetOld, forgetOthers, forgetSent, incidentsOf, unsentOf } from './database';
import { Kept } from './kept';
import { forget, warning } from './leave';

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
  vi.stubGlobal('IDBKeyRange', IDBKeyRange);
});

const place: Place = { person: 'marty', incident: 7, epoch: 'e1' };

/** A document whose every update is kept, and what was written into it. */
async function written(at: Place, words: string[], unsent = true): Promise<{ kept: Kept; doc: Y.Doc }> {
  const kept = await Kept.open(at);
  const doc = new Y.Doc();
  const writes: Promise<void>[] = [];
  doc.on('update', (update: Uint8Array) => writes.push(kept.write(update, unsent ? doc.clientID : null)));
  const text = doc.getText('notes');
  for (const word of words) text.insert(text.length, word);
  await Promise.all(writes);
  return { kept, doc };
}

async function reopened(at: Place): Promise<{ words: string; unsent: number[] }> {
  const kept = await Kept.open(at);
  const { updates, unsent } = await kept.read();
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  kept.close();
  return { words: doc.getText('notes').toString(), unsent };
}

test('what was written is there again, with the mark that it was not sent', async () => {
  const { kept, doc } = await written(place, ['warm ', 'in ', 'ten minutes']);
  expect(await reopened(place)).toEqual({ words: 'warm in ten minutes', unsent: [doc.clientID] });
  await kept.sent([doc.clientID]);
  expect(await reopened(place)).toEqual({ words: 'warm in ten minutes', unsent: [] });
});

test('what came from the server bears no such mark', async () => {
  await written(place, ['from elsewhere'], false);
  expect(await reopened(place)).toEqual({ words: 'from elsewhere', unsent: [] });
});

test('what one window sent says nothing about what another wrote', async () => {
  const { kept, doc } = await written(place, ['sent. ']);
  const other = await written(place, ['not sent. ']);
  await kept.sent([doc.clientID]);
  expect((await reopened(place)).unsent).toEqual([other.doc.clientID]);
});

test('other people, incidents and epochs are not mixed in', async () => {
  await written(place, ['mine']);
  for (const other of [{ person: 'emma' }, { incident: 70 }, { epoch: 'e10' }])
    expect(await reopened({ ...place, ...other })).toEqual({ words: '', unsent: [] });
});

test('many small pieces are joined, and hold the same', async () => {
  const words = Array.from({ length: 900 }, (_, at) => `${at} `);
  const kept = await Kept.open(place);
  const doc = new Y.Doc();
  const text = doc.getText('notes');
  let last: Uint8Array = new Uint8Array();
  doc.on('update', (update: Uint8Array) => (last = update));
  for (const word of words) {
    text.insert(text.length, word);
    await kept.write(last, null);
  }
  expect((await kept.read()).updates.length).toBeLessThan(250);
  expect((await reopened(place)).words).toBe(words.join(''));
});

test('what cannot be kept is said, and is kept with what follows once there is room', async () => {
  const { kept, doc } = await written(place, ['before, ']);
  const full = vi.spyOn(FDBDatabase.prototype, 'transaction').mockImplementation(() => {
    throw new DOMException('no room', 'QuotaExceededError');
  });
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  doc.getText('notes').insert(8, 'meanwhile, ');
  await expect(kept.write(updates[0]!, doc.clientID)).rejects.toThrow('no room');
  full.mockRestore();
  doc.getText('notes').insert(19, 'after');
  await kept.write(updates[1]!, doc.clientID);
  expect(await reopened(place)).toEqual({ words: 'before, meanwhile, after', unsent: [doc.clientID] });
});

test('forgetting takes this document, and no other', async () => {
  const { kept } = await written(place, ['gone']);
  await kept.about({ authors: {}, clock: {} });
  await written({ ...place, incident: 8 }, ['stays']);
  await kept.forget();
  expect(await reopened(place)).toEqual({ words: '', unsent: [] });
  expect((await kept.read()).about).toBeNull();
  expect((await reopened({ ...place, incident: 8 })).words).toBe('stays');
});

test('another person finds nothing of those before them', async () => {
  await written(place, ['of marty']);
  await written({ ...place, person: 'emma' }, ['of emma']);
  await written({ ...place, person: 'brown' }, ['of the server'], false);
  await forgetOthers('emma');
  expect(await reopened(place)).toEqual({ words: '', unsent: [] });
  expect((await reopened({ ...place, person: 'brown' })).words).toBe('');
  expect((await reopened({ ...place, person: 'emma' })).words).toBe('of emma');
});

test('documents that were not opened for long go, but not with words that were not sent', async () => {
  const about = { authors: {}, clock: {} };
  await (await written({ ...place, incident: 8 }, ['from the server'], false)).kept.about(about);
  await (await written({ ...place, incident: 9 }, ['not sent'])).kept.about(about);
  await forgetOld('marty', new Set());
  expect((await incidentsOf('marty')).sort()).toEqual([8, 9]);
  await forgetOld('marty', new Set([8]), Date.now() + LASTS_OVER + 60_000);
  expect(await incidentsOf('marty')).toEqual([9]);
  expect((await reopened({ ...place, incident: 8 })).words).toBe('');
  await forgetOld('marty', new Set([9]), Date.now() + 3 * LASTS);
  expect((await reopened({ ...place, incident: 9 })).words).toBe('not sent');
});

test('a document of which nobody wrote down when it was opened has its time from now on', async () => {
  await written({ ...place, incident: 8 }, ['from the server'], false);
  await written({ ...place, incident: 9 }, ['not sent']);
  await forgetOld('marty', new Set());
  expect((await reopened({ ...place, incident: 8 })).words).toBe('from the server');
  await forgetOld('marty', new Set(), Date.now() + 2 * LASTS);
  expect((await reopened({ ...place, incident: 8 })).words).toBe('');
  expect((await reopened({ ...place, incident: 9 })).words).toBe('not sent');
});

test('what is forgotten because the server has it takes no words with it that the server has not', async () => {
  await written({ ...place, incident: 8 }, ['from the server'], false);
  await written({ ...place, incident: 9 }, ['not sent']);
  await forgetSent(() => true);
  expect((await reopened({ ...place, incident: 8 })).words).toBe('');
  expect((await reopened({ ...place, incident: 9 })).words).toBe('not sent');
});

test('it is known which documents hold words that were not sent', async () => {
  await written(place, ['not sent']);
  await written({ ...place, incident: 8 }, ['from the server'], false);
  await written({ ...place, person: 'emma', incident: 9 }, ['of somebody else']);
  expect(await unsentOf('marty')).toEqual([place]);
});

test('whoever signs out is warned of unsent words once, and then nothing of anybody is left', async () => {
  await written(place, ['not sent']);
  expect(await warning('emma')).toBeNull();
  expect(await warning('marty')).toContain('#7');
  expect(await warning('marty')).toBeNull();
  // They stayed, and wrote more.
  await written({ ...place, incident: 8 }, ['not sent either']);
  expect(await warning('marty')).toContain('#8');
  expect(await warning('marty')).toBeNull();
  forget();
  await vi.waitFor(async () => expect((await reopened(place)).words).toBe(''));
  vi.stubGlobal('indexedDB', undefined);
  expect(await warning('brown')).toBeNull();
  forget();
});

test('a window that keeps something does not hold up its being thrown away', async () => {
  await written(place, ['gone']);
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.deleteDatabase('wardroom.document');
    request.onsuccess = () => resolve();
    request.onerror = request.onblocked = () => reject(new Error('it is held up'));
  });
  expect((await reopened(place)).words).toBe('');
});

test('asking what is kept makes no database', async () => {
  expect(await unsentOf('marty')).toEqual([]);
  await Promise.all([forgetOthers('marty'), forgetOld('marty', new Set()), forgetSent(() => true)]);
  expect(await incidentsOf('marty')).toEqual([]);
  expect(await indexedDB.databases()).toEqual([]);
});
