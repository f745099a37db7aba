import { expect, test } from 'vitest';
import { askedFor, listed } from './permission';

test('a link from the gate names a service, and nothing else is taken for one', () => {
  expect(askedFor('?permission=search')).toBe('search');
  expect(askedFor('?permission=eu%2Fsearch-2')).toBe('eu/search-2');
  for (const none of ['', '?permission=', '?permission=a%20b', '?permission=%3Cb%3E', '?other=search'])
    expect(askedFor(none), none).toBeNull();
});

test('services are listed as a sentence has them', () => {
  expect(listed(['search'])).toBe('search');
  expect(listed(['a', 'b', 'c'])).toBe('a, b and c');
  expect(listed([])).toBe('nothing');
});
