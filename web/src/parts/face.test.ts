// Initials of any name that somebody may have, and the colour that stays theirs.
import { expect, test } from 'vitest';
import { colour, initials } from './face';

test.each([
  ['Sabrina', 'SA'],
  ['Doc Brown', 'DB'],
  ['  Jean  Luc   Picard ', 'JP'],
  ['x', 'X'],
  ['李雷', '李雷'],
  ['\u202Eevil name', 'EN'],
  ['(Marty)', 'MA'],
  ['🎉', '🎉'],
  ['', '?'],
  ['\u200F', '?'],
])('%j is %s', (name, said) => {
  expect(initials(name)).toBe(said);
});

test('a name of 10,000 characters has two', () => expect(initials('a'.repeat(10_000))).toBe('AA'));

test('a person keeps one of six colours, and all six are used', () => {
  const ids = Array.from({ length: 200 }, (_, at) => `01a20948-a4e2-74af-9c7b-f978fd6b9${at + 100}`);
  const used = new Set(ids.map(colour));
  expect([...used].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(colour('a')).toBe(colour('a'));
});
