// What an entry of the timeline leads to.
import { expect, test } from 'vitest';
import type { Entry } from '../api/types';
import { markOf } from './timeline';

const entry = (number: number, kind: string, at: string, body: Record<string, unknown> = {}): Entry =>
  ({ entry: number, kind, at: `2026-11-26T03:0${at}:00Z`, body }) as Entry;

test('a taking of command leads to the mark that was made with it, or to what stood there before', () => {
  const [first, second] = [
    entry(5, 'role_taken', '1', { role: 'command' }),
    entry(9, 'role_taken', '3', { role: 'command' }),
  ];
  const entries = [first, entry(6, 'document_marked', '1'), entry(7, 'document_marked', '2'), second];
  expect(markOf(entries, first)).toBe(6);
  expect(markOf(entries, second)).toBe(9);
  expect(markOf(entries, entry(12, 'command_assumed', '4'))).toBe(12);
  expect(markOf(entries, entries[2]!)).toBe(7);
  expect(markOf(entries, entry(13, 'role_taken', '4', { role: 'operations' }))).toBeNull();
});
