// Notes that wait: their order, their times, and that none is lost where a browser keeps nothing.
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, expect, test, vi } from 'vitest';
import { type Draft, type Note, add, change, isLoose, notesOf, timed } from './notes';

beforeEach(() => vi.stubGlobal('indexedDB', new IDBFactory()));

const WRITTEN = 1_800_000_000_000;
const MINUTE = 60_000;
const draft: Draft = {
  request_id: 'a',
  person: 'marty',
  incident: 1,
  text: 'It is cold',
  pin: false,
  happened_at: null,
  written: WRITTEN,
};
const note: Note = { ...draft, nr: 1, tried: [], refused: null };
const iso = (at: number): string => new Date(at).toISOString();

test('one that is sent at once happened now; one that waited says when it was written', () => {
  expect(timed(note, WRITTEN + 1_000, 0).tried).toEqual([null]);
  expect(timed(note, WRITTEN + 10 * MINUTE, 0).tried).toEqual([iso(WRITTEN)]);
  // By the server's clock, which is an hour behind this machine's.
  const now = WRITTEN - 50 * MINUTE;
  expect(timed(note, now, -60 * MINUTE).tried).toEqual([iso(WRITTEN - 60 * MINUTE)]);
  // A clock that was put back meanwhile: never in the future.
  expect(timed(note, WRITTEN - 5 * MINUTE, 0).tried).toEqual([null]);
});

test('what was tried keeps its times, so that the server knows it again', () => {
  const own = timed(note, WRITTEN + 10 * MINUTE, 0);
  expect(timed(own, WRITTEN + 99 * MINUTE, 7 * MINUTE).tried).toEqual(own.tried);
  const fresh = timed(note, WRITTEN, 0);
  expect(timed(fresh, WRITTEN + 10, 0).tried).toEqual([null]);
  expect(timed(fresh, WRITTEN + 10 * MINUTE, 0).tried).toEqual([null, iso(WRITTEN)]);
  const said = { ...note, happened_at: iso(WRITTEN - 1) };
  expect(timed(timed(said, WRITTEN, 0), WRITTEN + 10 * MINUTE, 0).tried).toEqual([said.happened_at]);
});

test('they stand in their order, and go one by one', async () => {
  for (const request_id of ['z', 'b', 'a']) await add({ ...draft, request_id });
  await add({ ...draft, person: 'sabrina' });
  const all = await notesOf('marty');
  expect(all.map(({ request_id }) => request_id)).toEqual(['z', 'b', 'a']);
  await change(all[1]!.nr, () => null);
  await change(all[2]!.nr, (found) => ({ ...found, refused: 'no' }));
  expect(await change(all[1]!.nr, (found) => found)).toBeNull();
  const left = (await notesOf('marty')).map(({ request_id, refused }) => [request_id, refused]);
  expect(left).toEqual([
    ['z', null],
    ['a', 'no'],
  ]);
});

test('where a browser keeps nothing, this window does', async () => {
  vi.stubGlobal('indexedDB', undefined);
  await add(draft);
  const [only] = await notesOf('marty');
  expect(only && isLoose(only)).toBe(true);
  await change(only!.nr, () => null);
  expect(await notesOf('marty')).toEqual([]);
});
