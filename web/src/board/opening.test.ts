// What is sent when something is opened, from what somebody typed.
import { expect, test } from 'vitest';
import { handleFrom } from '../sign-in/handle';
import { KINDS, namesOf, openingOf } from './opening';

test('names of services come with commas, spaces or both, in any case, and each once', () => {
  expect(namesOf(' Search, frontend search;eu/cell-1,, ')).toEqual(['search', 'frontend', 'eu/cell-1']);
  expect(namesOf(' ')).toEqual([]);
});

test('a title alone declares; an investigation is an incident that is not declared', () => {
  expect(openingOf(' Search is down ', 'sev2', '', KINDS[0])).toEqual({
    title: 'Search is down',
    severity: 'sev2',
    services: [],
    kind: 'incident',
    investigate: false,
  });
  const kinds = KINDS.map(({ id, kind, investigate }) => [id, kind, investigate]);
  expect(kinds).toContainEqual(['investigation', 'incident', true]);
  expect(kinds).toContainEqual(['drill', 'drill', false]);
});

test.each([
  ['Doc Brown', 'doc-brown'],
  ['  José Núñez ', 'jose-nunez'],
  ['李雷', ''],
  ['!?', ''],
])('a handle for %j is %j', (name, handle) => expect(handleFrom(name)).toBe(handle));
