// The mark of a guest is taken off a guest's name, and off nobody else's.
import { expect, test } from 'vitest';
import { plainName } from './guest';

test.each([
  [{ name: 'Marty (guest)', guest: true }, 'Marty'],
  [{ name: 'Marty (guest) (guest)', guest: true }, 'Marty (guest)'],
  [{ name: 'Marty (guest)', guest: false }, 'Marty (guest)'],
  [{ name: 'Marty (guest)' }, 'Marty (guest)'],
  [{ name: 'a forgotten person', guest: true }, 'a forgotten person'],
])('%o', (person, shown) => expect(plainName(person)).toBe(shown));
