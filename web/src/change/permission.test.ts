import { expect, test } from 'vitest';
import type { Entry } from '../api/types';
import { askedFor, listed, toldNo } from './permission';

test('a link from the gate names services, and nothing else is taken for one', () => {
  expect(askedFor('?permission=search')).toEqual(['search']);
  expect(askedFor('?permission=eu%2Fsearch-2')).toEqual(['eu/search-2']);
  expect(askedFor('?permission=checkout,search')).toEqual(['checkout', 'search']);
  expect(askedFor('?permission=search,%3Cb%3E,')).toEqual(['search']);
  for (const none of [
    '',
    '?permission=',
    '?permission=,',
    '?permission=a%20b',
    '?permission=%3Cb%3E',
    '?other=search',
  ])
    expect(askedFor(none), none).toBeNull();
});

test('services are listed as a sentence has them', () => {
  expect(listed(['search'])).toBe('search');
  expect(listed(['a', 'b', 'c'])).toBe('a, b and c');
  expect(listed([])).toBe('nothing');
});

test('who was told no is told so until they ask again, are let, or take it back', () => {
  const said = (kind: string, body: Record<string, unknown>) =>
    ({ kind, body, told: kind }) as unknown as Entry;
  const asked = said('permission_asked', { by: 'emma' });
  const no = said('permission_declined', { by: 'marty', person: 'emma' });
  expect(toldNo([asked, no, said('note_added', { by: 'emma' })], 'emma')).toBe('permission_declined');
  expect(toldNo([asked, no], 'marty')).toBeNull();
  for (const later of [
    asked,
    said('permission_granted', { by: 'marty', person: 'emma' }),
    said('permission_declined', { by: 'emma', person: 'emma' }),
    said('glass_broken', { by: 'emma' }),
  ])
    expect(toldNo([asked, no, later], 'emma'), later.kind).toBeNull();
});
