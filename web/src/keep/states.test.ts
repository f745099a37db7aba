// What stays of what this browser keeps, and whose it is.
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Me } from '../api/types';
import { type Kept, LASTS, forgetAll, keepState, keepWho, lastHere, stateOf, tooMuch } from './states';

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
  vi.stubGlobal('IDBKeyRange', IDBKeyRange);
});

const NOW = 1_800_000_000_000;
const me = (id: string): Me => ({
  person: { id, handle: id, name: id },
  admin: false,
  scope: 'respond',
  session: null,
  guest_of: null,
});
const here = (id: string): Promise<void> => keepWho({ me: me(id), ahead: 0, at: NOW });

test('the newest stay: at most twenty, in bounded room, for a week', () => {
  const shelf = (count: number, letters: number, apart = 1): Kept[] =>
    Array.from({ length: count }, (_, at) => ({ place: `${at}`, at: NOW - at * apart, letters }));
  expect(tooMuch(shelf(20, 100), NOW)).toEqual([]);
  expect(tooMuch(shelf(22, 100), NOW)).toEqual(['20', '21']);
  expect(tooMuch(shelf(4, 1_500_000), NOW)).toEqual(['2', '3']);
  expect(tooMuch(shelf(3, 1, LASTS), NOW)).toEqual(['2']);
  // A clock that went back makes nothing too old.
  expect(tooMuch(shelf(2, 1), NOW - 3 * LASTS)).toEqual([]);
});

test('what was known is there for whom it was kept, and for nobody else', async () => {
  await here('marty');
  await keepState('marty', 'board', [1], NOW);
  expect(await stateOf('marty', 'board', NOW + 5)).toEqual({ what: [1], at: NOW });
  expect(await stateOf('sabrina', 'board', NOW)).toBeNull();
  expect(await stateOf('marty', 'board', NOW + LASTS + 1)).toBeNull();
  // A window that has not heard that another person signed in.
  await here('sabrina');
  await keepState('marty', 'board', [2], NOW);
  expect(await stateOf('sabrina', 'board', NOW)).toBeNull();
  expect(await stateOf('marty', 'board', NOW)).toBeNull();
});

test('after a sign-out nobody was here, and nothing is kept by a window that is late', async () => {
  await here('marty');
  await keepState('marty', 'board', [1], NOW);
  expect((await lastHere(NOW))?.me.person.id).toBe('marty');
  expect(await lastHere(NOW + LASTS + 1)).toBeNull();
  await forgetAll({ notes: true });
  await keepState('marty', 'board', [2], NOW);
  expect(await lastHere(NOW)).toBeNull();
  await here('marty');
  expect(await stateOf('marty', 'board', NOW)).toBeNull();
});
