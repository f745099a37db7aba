// What counts as which key, and what is left to the browser.
import { expect, test } from 'vitest';
import { isPlain, pressed } from './keys';

const plain = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

test.each([
  [{ key: 'd' }, 'd'],
  [{ key: '?', shiftKey: true }, '?'],
  [{ key: 'k', ctrlKey: true }, 'Ctrl K'],
  [{ key: 'k', metaKey: true }, 'Ctrl K'],
  [{ key: 'K', ctrlKey: true, shiftKey: true }, null],
  [{ key: '@', ctrlKey: true, altKey: true }, null],
  [{ key: 'Escape' }, 'Escape'],
  [{ key: 'Tab', shiftKey: true }, null],
  [{ key: 'Shift', shiftKey: true }, null],
  [{ key: 'Enter', ctrlKey: true }, null],
  [{ key: 'Dead' }, null],
])('%j is %s', (event, name) => expect(pressed({ ...plain, ...event })).toBe(name));

test('single letters, alone or two in a row, are those that can be switched off', () => {
  expect(['d', 'g b', '?'].every(isPlain)).toBe(true);
  expect(['Ctrl K', 'Escape', 'ArrowDown'].some(isPlain)).toBe(false);
});
